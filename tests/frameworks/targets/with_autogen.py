"""autogen's assistant, which goes on until the model asks for no more tools."""

from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from lab_tools import async_tools


def _agent(lab: Any, *, stream: bool = False) -> AssistantAgent:
    return AssistantAgent(
        "traveller",
        model_client=OpenAIChatCompletionClient(model="gpt-4o-mini"),
        tools=async_tools(lab).all,
        max_tool_iterations=10,
        model_client_stream=stream,
    )


def build(lab: Any) -> Any:
    async def session(task: str) -> str:
        return str((await _agent(lab).run(task=task)).messages[-1])

    return session


def build_stream(lab: Any) -> Any:
    async def session(task: str) -> str:
        last: object = None
        async for event in _agent(lab, stream=True).run_stream(task=task):
            last = event
        return str(last)

    return session
