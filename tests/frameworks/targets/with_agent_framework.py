"""Microsoft's agent framework over its OpenAI client, which speaks Responses."""

from typing import Any

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient
from lab_tools import async_tools


def _agent(lab: Any) -> Agent:
    return Agent(
        client=OpenAIChatClient(model="gpt-4o-mini"),
        name="traveller",
        instructions="You plan trips.",
        tools=async_tools(lab).all,
    )


def build(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        return (await agent.run(task)).text

    return session


def build_stream(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        text = ""
        async for update in agent.run(task, stream=True):
            text += update.text or ""
        return text

    return session
