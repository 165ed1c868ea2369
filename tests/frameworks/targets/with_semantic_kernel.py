"""semantic-kernel's chat agent, with the tools as a plug-in."""

from typing import Any

from lab_tools import async_tools
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import KernelPlugin, kernel_function


def _agent(lab: Any) -> ChatCompletionAgent:
    functions = [kernel_function(each) for each in async_tools(lab).all]
    return ChatCompletionAgent(
        service=OpenAIChatCompletion(ai_model_id="gpt-4o-mini"),
        name="traveller",
        plugins=[KernelPlugin(name="trips", functions=functions)],
    )


def build(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        return str((await agent.get_response(messages=task)).message)

    return session


def build_stream(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        text = ""
        async for chunk in agent.invoke_stream(messages=task):
            text += str(chunk.message)
        return text

    return session
