"""A langgraph agent as its users write it."""

import asyncio
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool, tool
from langchain_openai import ChatOpenAI

MOST_STEPS = 2000


@tool
async def forecast(city: str) -> str:
    """Forecast the weather of a city."""
    await asyncio.sleep(0.1)
    return f"sun over {city}"


@tool
def population(city: str) -> str:
    """Count the people of a city."""
    return f"{len(city)} million"


def build() -> Any:
    return _session([forecast, population])


def build_with_lab(lab: Any) -> Any:
    """Build the same agent over the lab's mocked tools."""
    return _session([_structured_tool(one) for one in lab.tools])


def _structured_tool(one: Any) -> StructuredTool:
    return StructuredTool(
        name=one.name,
        description=one.description,
        args_schema=dict(one.parameters),
        func=one.sync_function,
        coroutine=one.function if one.kind == "async" else None,
    )


def _session(tools: list[Any]) -> Any:
    agent: Any = create_agent(ChatOpenAI(model="gpt-4o-mini"), tools)

    async def session(task: str) -> str:
        state = await agent.ainvoke(
            {"messages": [{"role": "user", "content": task}]}, {"recursion_limit": MOST_STEPS}
        )
        return str(state["messages"][-1].content)

    return session
