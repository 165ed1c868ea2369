"""pydantic-ai over Chat Completions."""

from typing import Any

from lab_tools import async_tools, both
from pydantic_ai import Agent

MODEL = "openai-chat:gpt-4o-mini"


def build(lab: Any) -> Any:
    agent = Agent(MODEL, tools=async_tools(lab).all)

    async def session(task: str) -> str:
        return (await agent.run(task)).output

    def sync_session(task: str) -> str:
        return agent.run_sync(task).output

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    agent = Agent(MODEL, tools=async_tools(lab).all)

    async def session(task: str) -> str:
        text = ""
        async with agent.run_stream(task) as result:
            async for piece in result.stream_text(delta=True):
                text += piece
        return text

    return session
