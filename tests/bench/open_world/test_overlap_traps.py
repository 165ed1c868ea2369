"""Agents that may mislead: nothing is advised that is not known, and nothing breaks."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from warpbench.bench.results.data_flow import DataFlow
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario.distributions import Constant

from . import targets
from .overlap_agents import SCENARIO, Asks, Session, target_of

pytestmark = pytest.mark.once


def data_flow_of(
    build: object, strategy: str = "gather", scenario: object = SCENARIO
) -> DataFlow | None:
    spec = spec_of(build, scenario=scenario, sessions=1, strategy=strategy)  # type: ignore[arg-type]
    with prepared_here(replace(spec, accounts_time=False, finds_data_flow=True), build) as measure:
        assert not isinstance(measure, NotApplicable)
        return measure().data_flow


def routes_by_a_schema(asks: Asks) -> Session:
    """A router whose answer is one of two labels, in JSON."""
    label = {"type": "string", "enum": ["billing", "delivery"]}
    schema = {
        "type": "object",
        "properties": {"route": label, "why": {"type": "string"}},
        "required": ["route", "why"],
        "additionalProperties": False,
    }

    async def session(task: str) -> str:
        reply = await asks.asynchronous.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": "Who is in charge?"}],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "route", "schema": schema, "strict": True},
            },
        )
        route = json.loads(reply.choices[0].message.content or "")["route"]
        return await asks.ask("Help me.", f"You are in charge of {route}.")

    return session


def tells_the_time(asks: Asks) -> Session:
    async def session(task: str) -> str:
        await asks.ask("Who?")
        return await asks.ask(f"It is {time.time()}. Where?")

    return session


def keeps_what_it_asked(asks: Asks) -> Session:
    kept: dict[str, str] = {}

    async def session(task: str) -> str:
        await asks.ask("Who?")
        if "where" not in kept:
            kept["where"] = await asks.ask("Where?")
        return await asks.ask("When?")

    return session


def refuses_what_it_cannot_read(asks: Asks) -> Session:
    async def session(task: str) -> str:
        if "lorem" not in await asks.ask("Who?"):
            raise ValueError("not Latin")
        return await asks.ask("Where?")

    return session


def runs_two_branches(asks: Asks) -> Session:
    """One branch sleeps while the other ends: the last wait of one follows that of the other."""

    async def asks_and_sleeps() -> None:
        who = await asks.ask("Who?")
        await asyncio.sleep(1)
        await asks.ask(f"Where is {who}?")

    async def session(task: str) -> str:
        await asyncio.gather(asks_and_sleeps(), asks.get("https://slow.example/"))
        return "done"

    return session


@pytest.mark.parametrize(
    "session_of",
    [tells_the_time, refuses_what_it_cannot_read, routes_by_a_schema],
    ids=["time of day", "raises", "an enum of a schema"],
)
def test_what_is_not_known_to_be_free_of_a_need_is_not_told(session_of: object) -> None:
    flow = data_flow_of(target_of(session_of))  # type: ignore[arg-type]

    assert flow is not None
    assert (len(flow.nodes), flow.overlaps, flow.saving_ns) == (2, (), 0)


def test_what_a_run_before_it_has_kept_is_none_of_a_session_by_itself() -> None:
    """The warm-up fills the cache: what is left is two questions."""
    flow = data_flow_of(target_of(keeps_what_it_asked))

    assert flow is not None
    assert [overlap.waits for overlap in flow.overlaps] == [(0, 1)]


def test_branches_that_run_side_by_side_are_not_told_to_be_in_turn() -> None:
    slow = replace(SCENARIO.services[0], url="https://slow.example/*", latency=Constant(1.2))
    flow = data_flow_of(target_of(runs_two_branches), scenario=replace(SCENARIO, services=(slow,)))

    assert flow is not None
    who, slow_reply, where = flow.nodes
    assert slow_reply.end_ns < where.begin_ns
    assert where.lead_ns == where.begin_ns - who.end_ns == 1_000_000_000
    assert (flow.overlaps, flow.saving_ns) == ((), 0)


def test_plain_code_is_told_the_same() -> None:
    def build(lab: object) -> object:
        ask = targets.clients(lab)  # type: ignore[arg-type]

        def sync_session(task: str) -> str:
            ask.ask_plainly("Is it safe?")
            return ask.ask_plainly("Hello!")

        return targets.Target(sync_session=sync_session)

    flow = data_flow_of(build, "sync")

    assert flow is not None
    (overlap,) = flow.overlaps
    assert overlap.saving_ns == min(node.length_ns for node in flow.nodes)


def test_a_session_that_fails_has_no_data_flow() -> None:
    def fails(asks: Asks) -> Session:
        async def session(task: str) -> str:
            await asks.ask("Who?")
            raise ValueError("no")

        return session

    assert data_flow_of(target_of(fails)) is None
