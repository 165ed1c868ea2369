"""Open loops: sessions arrive by a plan, and latency counts from there."""

from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.records import CellResult, FindingKind
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.strategies import BUILT_IN, Strategy, available_strategies
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.errors import UsageError
from warpbench.mocks.scenario import Scenario, load_scenario, parse_scenario
from warpbench.mocks.scenario.recording import RecordedCall, RecordedSession, recording_bytes
from warpbench.mocks.workload.arrivals import (
    CLOSED,
    ArrivalKind,
    Arrivals,
    intended_ns,
    parse_arrivals,
)

pytestmark = pytest.mark.once

SECOND_NS = 1_000_000_000
TOOLS = load_scenario("tools")
ONE_SECOND = parse_scenario("""
    name = "one-second"
    description = "One model call of a second."
    sessions = 100
    [model]
    latency_s = 1.0
    [[rounds]]
""")
CELLS = [
    pytest.param(strategy, loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop in (("asyncio", "uvloop") if strategy.on_loop else ("asyncio",))
]
rates = st.floats(0.01, 1000)


@given(st.floats(1e-9, 1e6), st.floats(1e-9, 1e6))
def test_a_plan_is_read_as_it_was_written(first: float, last: float) -> None:
    plan = Arrivals(ArrivalKind.RAMP, first, last)
    assert parse_arrivals(plan.name) == plan


def times(text: str, count: int, scenario: Scenario = TOOLS) -> list[float]:
    planned = intended_ns(parse_arrivals(text), scenario, 1, count)
    assert planned is not None
    return [time / SECOND_NS for time in planned]


def measured(
    scenario: Scenario,
    arrivals: str,
    strategy: str = "gather",
    loop: str = "asyncio",
    concurrency: tuple[int, ...] = (),
    sessions: int | None = None,
    target: object = "agent",
) -> CellResult:
    factors = Factors(
        scenarios=(scenario,),
        strategies=(available_strategies()[strategy],),
        loops=(loop,),
        concurrency=concurrency,
        session_count=sessions,
        arrivals=(parse_arrivals(arrivals),),
    )
    (spec,) = cells_of(factors)
    with prepared_here(spec, target) as measure:
        assert not isinstance(measure, NotApplicable)
        return cell_result(spec.cell, [measure()])


@pytest.mark.parametrize(
    "text",
    [
        *("", "poison:3", "constant", "constant:", "constant:0", "constant:-1", "constant:x"),
        *("constant:1-2", "ramp:5", "ramp:1-2-3", "closed:3", "trace:0", "poisson:inf"),
    ],
)
def test_what_is_no_plan_is_one_clear_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"--arrivals .*expected one of closed, constant:RATE"):
        parse_arrivals(text)


@given(st.sampled_from(["constant", "poisson", "trace"]), rates)
def test_a_plan_reads_as_it_is_written(kind: str, rate: float) -> None:
    plan = parse_arrivals(f"{kind}:{rate:g}")
    assert parse_arrivals(plan.name) == plan


def test_a_closed_loop_has_no_plan() -> None:
    assert intended_ns(CLOSED, TOOLS, 1, 10) is None


def test_a_constant_rate_is_even() -> None:
    assert times("constant:20", 4) == [0.0, 0.05, 0.1, 0.15]


def test_poissons_gaps_are_exponential_and_drawn_from_the_seed() -> None:
    drawn = times("poisson:50", 4000)
    gaps = [later - earlier for earlier, later in pairwise(drawn)]

    assert fmean(gaps) == pytest.approx(0.02, rel=0.06)
    # Of an exponential's gaps a share of 1/e is longer than the mean.
    assert sum(gap > 0.02 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.03)
    assert times("poisson:50", 100) == drawn[:100]
    other_seed = intended_ns(parse_arrivals("poisson:50"), TOOLS, 2, 1)
    assert other_seed is not None
    assert other_seed[0] / SECOND_NS != drawn[0]


def test_a_ramp_begins_and_ends_at_its_rates() -> None:
    planned = times("ramp:10-100", 1100)

    assert 1 / (planned[1] - planned[0]) == pytest.approx(10, rel=0.05)
    assert 1 / (planned[-1] - planned[-2]) == pytest.approx(100, rel=0.05)
    # A thousand and a hundred sessions at 55 a second on average.
    assert planned[-1] == pytest.approx(20, rel=0.01)


@given(
    st.sampled_from(["constant:{0:g}", "poisson:{0:g}", "ramp:{0:g}-{1:g}"]),
    rates,
    rates,
    st.integers(0, 200),
)
def test_plans_ascend_and_more_sessions_change_none(
    form: str, first: float, last: float, count: int
) -> None:
    plan = parse_arrivals(form.format(first, last))
    planned = intended_ns(plan, TOOLS, 1, count)
    assert planned is not None
    assert len(planned) == count
    assert list(planned) == sorted(planned)
    if plan.kind != "ramp":  # whose steepness depends on their number
        longer = intended_ns(plan, TOOLS, 1, count + 5)
        assert longer is not None
        assert longer[:count] == planned


def recorded(folder: Path, *starts_s: float) -> Scenario:
    calls = (RecordedCall(1.0, 10, 10),)
    sessions = [RecordedSession(start_s, calls) for start_s in starts_s]
    (folder / "r.jsonl.gz").write_bytes(recording_bytes(sessions))
    text = 'name = "r"\ndescription = "d"\nsessions = 3\n[recording]\nfile = "r.jsonl.gz"\n'
    (folder / "r.toml").write_text(text)
    return load_scenario(str(folder / "r.toml"))


def test_a_trace_arrives_as_it_was_recorded(tmp_path: Path) -> None:
    scenario = recorded(tmp_path, 100.0, 101.0, 104.0)
    assert times("trace", 3, scenario) == [0.0, 1.0, 4.0]
    assert times("trace:2", 3, scenario) == [0.0, 0.5, 2.0]
    assert times("trace", 5, scenario) == [0.0, 1.0, 4.0, 6.0, 7.0]


def test_a_trace_needs_a_recording() -> None:
    with pytest.raises(UsageError, match="scenario 'tools' replays no recording"):
        intended_ns(Arrivals(parse_arrivals("trace").kind), TOOLS, 1, 3)


@pytest.mark.parametrize(("strategy", "loop"), CELLS)
def test_sessions_begin_when_they_arrive_and_have_a_place(strategy: Strategy, loop: str) -> None:
    cell = measured(ONE_SECOND, "constant:2", strategy.name, loop, (4,), sessions=8)

    (trial,) = cell.trial_figures
    alone = strategy.name in {"sync", "blocking"}
    by_session = sorted(zip(trial.session, trial.start_ns, trial.latency_ns, strict=True))
    starts_s = [start_ns / SECOND_NS for _, start_ns, _ in by_session]
    latencies_s = [latency_ns / SECOND_NS for _, _, latency_ns in by_session]
    expected = [float(number) if alone else number / 2 for number in range(8)]
    assert starts_s == pytest.approx(expected, abs=1e-6)
    # One at a time serves one a second where two arrive: the queue grows by half a second each.
    late = [number / 2 if alone else 0.0 for number in range(8)]
    assert latencies_s == pytest.approx([1 + late_s for late_s in late], abs=1e-6)
    assert cell.raw_latency_s is not None
    assert cell.raw_latency_s.max == pytest.approx(1.0, abs=1e-6)
    assert cell.asked_per_s == pytest.approx(2.0)
    assert cell.delivered_per_s == pytest.approx(1.0 if alone else 2.0, rel=1e-3)
    assert [finding.kind for finding in findings_of([cell])] == (
        [FindingKind.LOAD_NOT_DELIVERED] if alone else []
    )
    if not alone:
        assert cell.efficiency == pytest.approx(1.0, abs=1e-6)


def test_a_stall_shows_in_the_latency_from_the_intended_start() -> None:
    """The wrk2 test: a second's stall in a run of a constant rate."""
    stalling = parse_scenario("""
        name = "stall"
        description = "A model of 10 ms that stands still for a second, once."
        sessions = 1000
        [model]
        latency_s = 0.01
        [[rounds]]
        [[faults]]
        kind = "slow_drip"
        latency_s = 1.0
        sessions = [500]
        steps = [0]
        attempts = [1]
    """)
    cell = measured(stalling, "constant:90", strategy="sync")

    # Ten milliseconds each, one at a time, at ninety a second: hardly ever a queue. The stall
    # holds up the ninety that arrive meanwhile, and nine hundred more while it is worked off.
    assert cell.raw_latency_s is not None
    assert cell.raw_latency_s.p90 == pytest.approx(0.01, abs=1e-4)
    assert cell.raw_latency_s.p99 == pytest.approx(0.01, abs=1e-4)
    assert cell.latency_s.p99 is not None
    assert cell.latency_s.p99 == pytest.approx(1.0, rel=0.05)
    assert cell.latency_s.p90 is not None
    assert cell.latency_s.p90 > 0.8


def test_admission_is_what_a_session_waited_for_its_place() -> None:
    factors = Factors(
        scenarios=(ONE_SECOND,),
        strategies=(available_strategies()["gather"],),
        concurrency=(1,),
        session_count=3,
        arrivals=(parse_arrivals("constant:2"),),
    )
    (spec,) = cells_of(factors)
    with prepared_here(replace(spec, accounts_time=True), "agent") as measure:
        assert not isinstance(measure, NotApplicable)
        trial = measure()
    parts = [asdict(each) for each in trial.time_parts_ns]
    assert [each["admission"] / SECOND_NS for each in parts] == pytest.approx([0, 0.5, 1.0])
    assert [sum(each.values()) for each in parts] == [each.latency_ns for each in trial.samples]
