"""A pydantic-ai agent as its users write it."""

import asyncio
from typing import Any

from pydantic_ai import Agent, Tool, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel

UNLIMITED = UsageLimits(request_limit=None)


async def forecast(city: str) -> str:
    """Forecast the weather of a city."""
    await asyncio.sleep(0.1)
    return f"sun over {city}"


def population(city: str) -> str:
    """Count the people of a city."""
    return f"{len(city)} million"


def build() -> Any:
    return _session(Agent(OpenAIChatModel("gpt-4o-mini"), tools=[forecast, population]))


def build_with_lab(lab: Any) -> Any:
    """Build the same agent over the lab's mocked tools."""
    tools = [
        Tool.from_schema(
            tool.function,
            name=tool.name,
            description=tool.description,
            json_schema=dict(tool.parameters),
        )
        for tool in lab.tools
    ]
    return _session(Agent(OpenAIChatModel("gpt-4o-mini"), tools=tools))


def _session(agent: Agent[None, str]) -> Any:
    async def session(task: str) -> str:
        return (await agent.run(task, usage_limits=UNLIMITED)).output

    return session
