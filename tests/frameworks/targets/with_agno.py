"""An agno agent, with the framework's telemetry on, as it is by default."""

from typing import Any

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from lab_tools import async_tools, both, sync_tools


def build(lab: Any) -> Any:
    async def session(task: str) -> str:
        agent = Agent(model=OpenAIChat(id="gpt-4o-mini"), tools=async_tools(lab).all)
        return str((await agent.arun(task)).content)

    def sync_session(task: str) -> str:
        agent = Agent(model=OpenAIChat(id="gpt-4o-mini"), tools=sync_tools(lab).all)
        return str(agent.run(task).content)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    async def session(task: str) -> str:
        agent = Agent(model=OpenAIChat(id="gpt-4o-mini"), tools=async_tools(lab).all)
        text = ""
        async for event in agent.arun(task, stream=True):
            text += getattr(event, "content", None) or ""
        return text

    return session
