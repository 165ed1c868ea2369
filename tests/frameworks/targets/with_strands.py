"""A strands agent, which streams always."""

from typing import Any

from lab_tools import async_tools, both
from strands import Agent, tool
from strands.models.openai import OpenAIModel


def _agent(lab: Any) -> Agent:
    return Agent(
        model=OpenAIModel(model_id="gpt-4o-mini"),
        tools=[tool(each) for each in async_tools(lab).all],
        callback_handler=None,
    )


def build(lab: Any) -> Any:
    async def session(task: str) -> str:
        return str(await _agent(lab).invoke_async(task))

    def sync_session(task: str) -> str:
        return str(_agent(lab)(task))

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    async def session(task: str) -> str:
        last: object = None
        async for event in _agent(lab).stream_async(task):
            last = event
        return str(last)

    return session
