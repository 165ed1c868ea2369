"""llama-index's function agent, which streams by default."""

from typing import Any

from lab_tools import async_tools
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI


def build(lab: Any) -> Any:
    agent = FunctionAgent(
        tools=async_tools(lab).all, llm=OpenAI(model="gpt-4o-mini"), streaming=False
    )

    async def session(task: str) -> str:
        return str(await agent.run(task))

    return session


def build_stream(lab: Any) -> Any:
    agent = FunctionAgent(tools=async_tools(lab).all, llm=OpenAI(model="gpt-4o-mini"))

    async def session(task: str) -> str:
        handler = agent.run(task)
        async for _event in handler.stream_events():
            pass
        return str(await handler)

    return session
