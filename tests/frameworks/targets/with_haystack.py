"""haystack's agent component."""

from typing import Any

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from lab_tools import both, sync_tools


def _agent(lab: Any) -> Agent:
    agent = Agent(
        chat_generator=OpenAIChatGenerator(model="gpt-4o-mini"),
        tools=[create_tool_from_function(each) for each in sync_tools(lab).all],
    )
    agent.warm_up()
    return agent


def build(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        result = await agent.run_async(messages=[ChatMessage.from_user(task)])
        return str(result["last_message"].text)

    def sync_session(task: str) -> str:
        return str(agent.run(messages=[ChatMessage.from_user(task)])["last_message"].text)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    agent = _agent(lab)

    async def session(task: str) -> str:
        async def take(_chunk: Any) -> None:
            pass

        result = await agent.run_async(
            messages=[ChatMessage.from_user(task)], streaming_callback=take
        )
        return str(result["last_message"].text)

    return session
