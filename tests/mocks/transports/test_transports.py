"""Reaching the model in-process or over sockets: the same sessions, the same counts."""

import functools
import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from warpbench.bench.cli.factors import clock_for
from warpbench.bench.results.cell import NO_LOOP, Cell
from warpbench.bench.results.records import FindingKind
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.strategies import available_strategies
from warpbench.bench.targets.loading import name_of_target
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import UsageError
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.transports.registry import TRANSPORTS, require_transport

# A target's clients are not closed: their sockets end when they are collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCENARIO = parse_scenario(
    """\
name = "short"
description = "Short waits, for real time."
sessions = 6
[model]
latency_s = 0.05
[tools.search]
description = "Searches."
kind = "async"
latency_s = 0.02
[[rounds]]
tools = [{ tool = "search" }, { tool = "search" }]
[[rounds]]
"""
)
TARGETS = ("agent", "agent-streaming", "bare-sdk")


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Collect what is not closed in the test that made it, and not in some other."""
    yield
    gc.collect()


def cell_of(transport: str, strategy: str, target: str = "agent") -> Cell:
    return Cell(
        scenario=SCENARIO.name,
        target=target,
        strategy=strategy,
        loop="uvloop" if available_strategies()[strategy].on_loop else NO_LOOP,
        transport=transport,
        clock=ClockMode.WALL,
        concurrency=3,
        session_count=6,
        seed=1,
        tool_workers=6,
    )


def trial(transport: str, strategy: str, target: object = "agent") -> TrialResult | NotApplicable:
    cell = cell_of(transport, strategy, name_of_target(target))
    with prepared_here(TrialSpec(SCENARIO, cell, notes_waits=True), target) as measure:
        return measure if isinstance(measure, NotApplicable) else measure()


@functools.cache
def trial_once(transport: str, strategy: str, target: str = "agent") -> TrialResult | NotApplicable:
    """Run a trial as others do, who only look at it."""
    return trial(transport, strategy, target)


@pytest.mark.parametrize(
    ("transport", "strategy", "target"),
    [
        ("respx", "gather", "agent"),
        ("loopback", "gather", "agent"),
        ("loopback", "threads", "agent-streaming"),
        ("loopback-aiohttp", "gather", "agent-streaming"),
    ],
)
def test_the_same_is_counted_whichever_way_the_model_is_reached(
    transport: str, strategy: str, target: str
) -> None:
    """What is not named here is run in the slow suite."""
    check_counts(trial_once(transport, strategy, target), transport)


def check_counts(result: TrialResult | NotApplicable, transport: str) -> None:
    assert isinstance(result, TrialResult)
    assert {sample.outcome for sample in result.samples} == {Outcome.SUCCEEDED}
    assert (result.llm_calls, result.http_requests, result.tool_calls) == (12, 12, 12)
    assert 1 <= result.peak_in_flight <= 3
    assert result.makespan_ns >= result.ideal_makespan_ns
    assert len(result.waits) == 24
    for wait in result.waits:
        least_ns = 50_000_000 if wait.index is None else 20_000_000
        assert wait.end_ns - wait.start_ns >= least_ns
    assert (result.server_capacity_per_s is None) is (transport == "respx")


def test_aiohttp_is_for_async_sessions() -> None:
    """The slow suite has the trials of which this is said."""
    aiohttp = require_transport("loopback-aiohttp")
    assert aiohttp.refusal(is_async=False) == "aiohttp has no sync client"
    assert aiohttp.refusal(is_async=True) is None


def test_a_target_with_a_client_of_its_own_is_not_taken_for_aiohttps() -> None:
    assert require_transport("loopback-aiohttp").clients().why_unused() == (
        "the target does not ask for lab.async_http_client(), so aiohttp is not in use"
    )
    assert require_transport("loopback").clients().why_unused() is None


def test_a_server_that_was_busy_is_reported() -> None:
    idle = trial_once("loopback", "gather", "agent")
    assert isinstance(idle, TrialResult)
    assert idle.server_utilisation is not None
    busy = replace(idle, server_utilisation=0.93, server_capacity_per_s=12_345.0)

    findings = findings_of([cell_result(cell_of("loopback", "gather"), [idle, busy])])

    assert [finding.kind for finding in findings] == [FindingKind.SERVER_BOUND]
    assert findings[0].values == {
        "cell": "short/gather/uvloop at concurrency 3 over loopback",
        "utilisation": 0.93,
        "capacity_per_s": (idle.server_capacity_per_s or 0) / 2 + 12_345 / 2,
    }


class TestOptions:
    def test_the_clock_is_the_one_that_the_transports_allow(self) -> None:
        assert clock_for(None, ["respx"]) is ClockMode.WARP
        assert clock_for(None, ["respx", "loopback"]) is ClockMode.WALL
        assert clock_for("virtual", ["respx"]) is ClockMode.VIRTUAL
        assert clock_for("wall", ["loopback"]) is ClockMode.WALL

    def test_no_clock_skips_over_sockets(self) -> None:
        with pytest.raises(UsageError, match=r"loopback uses real sockets.*use --clock wall"):
            clock_for("warp", ["respx", "loopback"])

    def test_each_has_a_name_and_a_line(self) -> None:
        for name, transport in TRANSPORTS.items():
            assert transport.name == name
            assert "\n" not in transport.summary
            assert require_transport(name) is transport
