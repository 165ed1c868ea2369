"""ag2's agent."""

from typing import Any

from ag2 import Agent, tool
from ag2.config import OpenAIConfig
from lab_tools import async_tools


def _session(lab: Any, *, streaming: bool = False) -> Any:
    config = OpenAIConfig(model="gpt-4o-mini", streaming=streaming)
    tools = [tool(each) for each in async_tools(lab).all]
    agent = Agent("traveller", config=config, tools=tools)

    async def session(task: str) -> str:
        return str((await agent.ask(task)).body)

    return session


def build(lab: Any) -> Any:
    return _session(lab)


def build_stream(lab: Any) -> Any:
    return _session(lab, streaming=True)
