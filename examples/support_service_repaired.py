"""The support desk of `support_service.py`, repaired: a run gets its case as its context.

warpbench explore chat --target support_service_repaired:build
"""

from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    RunContextWrapper,
    Runner,
    set_tracing_disabled,
)
from openai import AsyncOpenAI


def instructions(run: RunContextWrapper[str], _agent: Agent[str]) -> str:
    return f"Answer a customer of ours. The case: {run.context}"


set_tracing_disabled(True)
model = OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
triage = Agent(name="triage", instructions="Sum up the case in one sentence.", model=model)
desk = Agent[str](name="desk", instructions=instructions, model=model)


async def answer(question: str) -> str:
    case = str((await Runner.run(triage, question)).final_output)
    return str((await Runner.run(desk, question, context=case)).final_output)


def build() -> Any:
    return answer
