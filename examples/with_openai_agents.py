"""An openai-agents agent as its users write it, over chat completions."""

import asyncio
import json
from typing import Any

from agents import (
    Agent,
    FunctionTool,
    Model,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

MOST_TURNS = 1000


@function_tool
async def forecast(city: str) -> str:
    """Forecast the weather of a city."""
    await asyncio.sleep(0.1)
    return f"sun over {city}"


@function_tool
def population(city: str) -> str:
    """Count the people of a city."""
    return f"{len(city)} million"


def build() -> Any:
    return _session([forecast, population])


def build_with_lab(lab: Any) -> Any:
    """Build the same agent over the lab's mocked tools."""
    return _session([_function_tool(tool) for tool in lab.tools])


def build_over_responses(lab: Any) -> Any:
    """Build the same agent over the Responses API, the framework's default."""
    model = OpenAIResponsesModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
    return _session([_function_tool(tool) for tool in lab.tools], model)


def _function_tool(tool: Any) -> FunctionTool:
    async def invoke(_context: Any, arguments: str) -> str:
        if tool.kind == "async":
            return await tool.function(**json.loads(arguments))
        return await asyncio.to_thread(tool.sync_function, **json.loads(arguments))

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=dict(tool.parameters),
        on_invoke_tool=invoke,
    )


def _session(tools: list[Any], model: Model | None = None) -> Any:
    set_tracing_disabled(True)
    model = model or OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
    agent = Agent(name="traveller", model=model, tools=tools)

    async def session(task: str) -> str:
        return str((await Runner.run(agent, task, max_turns=MOST_TURNS)).final_output)

    return session
