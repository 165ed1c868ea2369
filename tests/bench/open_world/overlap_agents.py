"""Sixteen agents whose best structure is known: each as it is written, and as well as it can be.

Ten cannot be made shorter: data flows from one wait to the next as whole text, as a choice of what
is asked, as a label, a hash or a cut text. Six can.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from warpbench.bench.targets.loading import Lab, Target
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.mocks.workload.marks import LENGTH
from warpbench.mocks.world.tools import LabTool

from .targets import Clients, clients

SCENARIO = parse_scenario("""
    name = "overlap"
    description = "Waits of drawn lengths."
    sessions = 1
    [model]
    latency_s = { lognormal = { median = 0.5, p99 = 1.5 } }
    [[rounds]]
    [[services]]
    name = "weather"
    url = "https://weather.example/*"
    latency_s = { uniform = { low = 0.1, high = 0.9 } }
    json = { city = "Vienna", sky = "clear" }
    [[services]]
    name = "news"
    url = "https://news.example/*"
    latency_s = { uniform = { low = 0.1, high = 0.9 } }
    body = "Nothing happened."
""")
WITH_TOOLS = parse_scenario("""
    name = "overlap-tools"
    description = "An answer that asks for two tools."
    sessions = 1
    [model]
    latency_s = { lognormal = { median = 0.5, p99 = 1.5 } }
    [tools.search]
    description = "Searches the web."
    kind = "async"
    latency_s = { uniform = { low = 0.1, high = 0.9 } }
    parameters = { query = "string" }
    [[rounds]]
    tools = [
        { tool = "search", arguments = { query = "trains" } },
        { tool = "search", arguments = { query = "hotels" } },
    ]
    [[rounds]]
""")
_LABELS = ("billing", "delivery", "complaints", "other")

Session = Callable[[str], Awaitable[str]]


class Asks(Clients):
    """Asks the model, services and the lab's tools."""

    async def get(self, url: str) -> str:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).text


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of known structure.

    Attributes:
        name: What it does.
        written: Makes its session, as it is written.
        best: Makes the session of the same data flow that takes least; ``None``: that is it.
        scenario: What it runs on.
    """

    name: str
    written: Callable[[Asks], Session]
    best: Callable[[Asks], Session] | None = None
    scenario: Scenario = SCENARIO


def target_of(session_of: Callable[[Asks], Session]) -> Callable[[Lab], Target]:
    """Return the factory of an agent."""

    def build(lab: Lab) -> Target:
        made = clients(lab)
        return Target(session=session_of(Asks(made.lab, made.asynchronous, made.plain)))

    return build


# ---- as whole text


def plans_and_writes(asks: Asks) -> Session:
    async def session(task: str) -> str:
        plan = await asks.ask("Plan a report.")
        return await asks.ask(f"Write it by this plan: {plan}")

    return session


def translates_what_it_summed_up(asks: Asks) -> Session:
    async def session(task: str) -> str:
        summary = await asks.ask("Sum up the book.")
        english = await asks.ask(f"Translate: {summary}")
        return await asks.ask(f"Check: {english.upper()}")

    return session


def chats(asks: Asks) -> Session:
    async def session(task: str) -> str:
        messages: list[Any] = []
        for question in ("Who?", "Where?", "When?"):
            messages.append({"role": "user", "content": question})
            reply = await asks.asynchronous.chat.completions.create(
                model="any", messages=list(messages)
            )
            messages.append({"role": "assistant", "content": reply.choices[0].message.content})
        return ""

    return session


def asks_about_what_a_service_says(asks: Asks) -> Session:
    async def session(task: str) -> str:
        weather = json.loads(await asks.get("https://weather.example/today"))
        return await asks.ask(f"What to wear when it is {weather['sky']}?")

    return session


# ---- as a choice of what is asked


def answers_if_it_is_safe(asks: Asks) -> Session:
    async def session(task: str) -> str:
        if "UNSAFE" in await asks.ask("Say SAFE or UNSAFE."):
            return "No."
        return await asks.ask("Hello!")

    return session


def asks_again_unless_it_is_approved(asks: Asks) -> Session:
    async def session(task: str) -> str:
        for attempt in range(2):
            if "approved" in (await asks.ask(f"Review {attempt}: say approved if it is.")).lower():
                break
        return "done"

    return session


# ---- as a label


def _label(answer: str) -> str:
    letter = answer[LENGTH : LENGTH + 1].lower()
    return _LABELS[ord(letter or "?") % len(_LABELS)]


def asks_the_one_in_charge(asks: Asks) -> Session:
    async def session(task: str) -> str:
        label = _label(await asks.ask("Who is in charge?"))
        return await asks.ask("Help me.", f"You are in charge of {label}.")

    return session


def asks_for_as_much_as_it_is_long(asks: Asks) -> Session:
    async def session(task: str) -> str:
        size = "long" if len(await asks.ask("How long?")) > 300 else "short"
        return await asks.ask(f"Write a {size} poem.")

    return session


# ---- as a hash, as cut text


def names_it_by_its_hash(asks: Asks) -> Session:
    async def session(task: str) -> str:
        digest = hashlib.sha256((await asks.ask("Write a poem.")).encode()).hexdigest()
        return await asks.ask(f"Review document {digest[:8]}.")

    return session


def asks_about_a_cut_text(asks: Asks) -> Session:
    async def session(task: str) -> str:
        poem = await asks.ask("Write a poem.")
        return await asks.ask(f"Go on: …{poem[LENGTH + 14 : LENGTH + 34]}…")

    return session


# ---- what could overlap


def _at_once(
    *questions: Callable[[Asks], Awaitable[str]], overlap: bool
) -> Callable[[Asks], Session]:
    """Return a session that asks questions at once, or in turn."""

    def make(asks: Asks) -> Session:
        async def session(task: str) -> str:
            if overlap:
                await asyncio.gather(*(question(asks) for question in questions))
            else:
                for question in questions:
                    await question(asks)
            return "done"

        return session

    return make


def _asking(prompt: str) -> Callable[[Asks], Awaitable[str]]:
    return lambda asks: asks.ask(prompt)


def _getting(url: str) -> Callable[[Asks], Awaitable[str]]:
    return lambda asks: asks.get(url)


def _pair(name: str, *questions: Callable[[Asks], Awaitable[str]]) -> Agent:
    return Agent(name, _at_once(*questions, overlap=False), best=_at_once(*questions, overlap=True))


def _researches(*, overlap: bool) -> Callable[[Asks], Session]:
    def make(asks: Asks) -> Session:
        async def session(task: str) -> str:
            plan = await asks.ask("Plan a report.")
            prompts = [f"Research the {part} of: {plan}" for part in ("past", "present")]
            if overlap:
                notes = await asyncio.gather(*map(asks.ask, prompts))
            else:
                notes = [await asks.ask(prompt) for prompt in prompts]
            return await asks.ask("Write the report: " + " ".join(notes))

        return session

    return make


def _looks_up(*, overlap: bool) -> Callable[[Asks], Session]:
    urls = ("https://weather.example/today", "https://news.example/today")

    def make(asks: Asks) -> Session:
        async def session(task: str) -> str:
            if overlap:
                found = await asyncio.gather(*map(asks.get, urls))
            else:
                found = [await asks.get(url) for url in urls]
            return await asks.ask("Tell me about: " + " ".join(found))

        return session

    return make


def _runs_tools(*, overlap: bool) -> Callable[[Asks], Session]:
    def make(asks: Asks) -> Session:
        by_name = {tool.name: tool for tool in asks.lab.tools}
        declared = [_declaration(tool) for tool in asks.lab.tools]

        async def call(call: Any) -> str:
            function: Any = by_name[call.function.name].function
            result: str = await function(**json.loads(call.function.arguments))
            return result

        async def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            while True:
                reply = await asks.asynchronous.chat.completions.create(
                    model="any", messages=list(messages), tools=declared
                )
                message = reply.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                messages.append(message)
                if overlap:
                    results = await asyncio.gather(*map(call, message.tool_calls))
                else:
                    results = [await call(each) for each in message.tool_calls]
                messages += [
                    {"role": "tool", "tool_call_id": each.id, "content": result}
                    for each, result in zip(message.tool_calls, results, strict=True)
                ]

        return session

    return make


def _declaration(tool: LabTool) -> Any:
    function = {"name": tool.name, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


CANNOT = (
    Agent("whole text: a plan", plans_and_writes),
    Agent("whole text: three in a row", translates_what_it_summed_up),
    Agent("whole text: a chat", chats),
    Agent("whole text: a service's reply", asks_about_what_a_service_says),
    Agent("control flow: a guardrail that stops", answers_if_it_is_safe),
    Agent("control flow: a critic", asks_again_unless_it_is_approved),
    Agent("an enum: who is in charge", asks_the_one_in_charge),
    Agent("an enum: how much", asks_for_as_much_as_it_is_long),
    Agent("a hash", names_it_by_its_hash),
    Agent("cut text", asks_about_a_cut_text),
)
CAN = (
    _pair("a guardrail before the answer", _asking("Is it safe?"), _asking("Hello!")),
    Agent("two lookups, then a question", _looks_up(overlap=False), best=_looks_up(overlap=True)),
    _pair("a lookup before the plan", _getting("https://news.example/"), _asking("Plan.")),
    Agent(
        "two tools in turn",
        _runs_tools(overlap=False),
        best=_runs_tools(overlap=True),
        scenario=WITH_TOOLS,
    ),
    _pair("three questions in turn", _asking("Who?"), _asking("Where?"), _asking("When?")),
    Agent("a mixed one", _researches(overlap=False), best=_researches(overlap=True)),
)
AGENTS = (*CANNOT, *CAN)
