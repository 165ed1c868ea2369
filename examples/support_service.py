"""A support desk with a mistake: each request writes into the one agent that all requests share.

While a run is under way, the next request overwrites `desk.instructions`. Repaired, it is
`support_service_repaired.py`. The lab calls `answer` as whatever serves requests would:

    warpbench explore chat --target support_service:build
"""

from typing import Any

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)
model = OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
triage = Agent(name="triage", instructions="Sum up the case in one sentence.", model=model)
desk = Agent(name="desk", model=model)  # of all requests


async def answer(question: str) -> str:
    case = (await Runner.run(triage, question)).final_output
    desk.instructions = f"Answer a customer of ours. The case: {case}"  # the mistake
    return str((await Runner.run(desk, question)).final_output)


def build() -> Any:
    return answer
