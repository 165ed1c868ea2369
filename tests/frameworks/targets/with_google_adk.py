"""google-adk on litellm, which is its way to a model that is not Gemini."""

import asyncio
from typing import Any

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from lab_tools import async_tools, both

APP = "trips"
USER = "user"


def _runner(lab: Any) -> InMemoryRunner:
    agent = Agent(
        name="traveller",
        model=LiteLlm(model="openai/gpt-4o-mini"),
        instruction="You plan trips.",
        tools=async_tools(lab).all,
    )
    return InMemoryRunner(agent=agent, app_name=APP)


def build(lab: Any) -> Any:
    session = _session(_runner(lab), RunConfig())

    def sync_session(task: str) -> str:
        runner = _runner(lab)
        made = asyncio.run(runner.session_service.create_session(app_name=APP, user_id=USER))
        text = ""
        for event in runner.run(user_id=USER, session_id=made.id, new_message=_message(task)):
            text = _final(event) or text
        return text

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    return _session(_runner(lab), RunConfig(streaming_mode=StreamingMode.SSE))


def _session(runner: InMemoryRunner, config: RunConfig) -> Any:
    async def session(task: str) -> str:
        made = await runner.session_service.create_session(app_name=APP, user_id=USER)
        text = ""
        async for event in runner.run_async(
            user_id=USER, session_id=made.id, new_message=_message(task), run_config=config
        ):
            text = _final(event) or text
        return text

    return session


def _message(task: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=task)])


def _final(event: Any) -> str:
    if event.is_final_response() and event.content and event.content.parts:
        return event.content.parts[0].text or ""
    return ""
