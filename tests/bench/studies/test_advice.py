"""Advice: what carries nearly most with least, and what a cost was worth by taking it away."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.advice import Advice, Cost, CostKind, Gain
from warpbench.bench.results.blocked_loop import Cause, LoopBlocker
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts
from warpbench.bench.results.run_file import read_run
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.objectives import parse_objectives
from warpbench.bench.studies.advice import choose, double_load_spec, gains_of, others_of, what_ifs
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.observe.pools import PoolUse
from warpbench.mocks.scenario import NO_LIMITS, ToolKind, load_scenario
from warpbench.mocks.workload.script import draw
from warpbench.reports.terminal.advice import advice_lines

from ...built import DATA_FLOW, HEADER, TRIAL, cell_result
from ...golden import assert_golden

pytestmark = pytest.mark.once

SECOND_NS = 1_000_000_000


def cell(load: int, per_s: float, p99: float = 1.0, failed: int = 0, **more: Any) -> CellResult:
    return cell_result(
        concurrency=load,
        throughput_per_s=per_s,
        sessions=SessionCounts(started=100, succeeded=100 - failed, failed=failed),
        latency_s=LatencySummary(p50=0.9, p99=p99),
        **more,
    )


def test_nearly_as_much_with_fewer_at_once_is_better_advice_than_the_most() -> None:
    best = choose([cell(10, 50), cell(100, 97.5), cell(400, 100)], None)
    assert best is not None
    assert best.cell.concurrency == 100


def test_an_objective_and_lost_sessions_rule_cells_out() -> None:
    cells = [cell(10, 50, p99=0.5), cell(100, 98, p99=2.0), cell(20, 99, p99=0.1, failed=1)]
    best = choose(cells, parse_objectives("p99=1s"))
    assert best is not None
    assert best.cell.concurrency == 10
    assert choose(cells, parse_objectives("p99=10ms")) is None
    assert choose([], None) is None


def test_others_are_told_at_their_best_load() -> None:
    best = cell(100, 98)
    threads = [cell(load, per_s, strategy="threads") for load, per_s in ((10, 40), (50, 60))]
    uvloop = cell(200, 99, loop="uvloop")
    assert others_of(best, [best, cell(10, 50), *threads, uvloop]) == (uvloop, threads[1])


def spec_of(scenario: str) -> TrialSpec:
    return double_load_spec(cell(8, 10, scenario=scenario), load_scenario(scenario))


def test_the_best_is_strained_by_twice_the_load_and_the_sessions() -> None:
    spec = spec_of("tools")
    assert (spec.cell.concurrency, spec.cell.session_count) == (16, 200)
    assert spec.cell.clock is ClockMode.WARP
    assert spec.accounts_time


def test_each_cost_is_taken_away_by_itself() -> None:
    free, unlimited = what_ifs(spec_of("busy-model"))
    assert free.spec.cell.clock is ClockMode.VIRTUAL
    assert unlimited.spec.scenario.limits == NO_LIMITS
    assert unlimited.spec.cell.clock is ClockMode.WARP
    assert (free.cost, unlimited.cost) == (Cost(CostKind.CLIENT_CPU), Cost(CostKind.MODEL_LIMITS))

    _, awaited = what_ifs(spec_of("blocking-blunder"))
    (tool,) = awaited.spec.scenario.tools.values()
    assert (tool.kind, tool.in_coroutine) == (ToolKind.ASYNC, False)
    assert awaited.cost == Cost(CostKind.TOOL_BLOCKING, "lookup")


def test_a_tool_that_computes_nothing_leaves_every_other_latency_as_it_was() -> None:
    spec = spec_of("cpu-tool")
    _, without = what_ifs(spec)
    assert without.cost.kind is CostKind.TOOL_CPU
    assert without.cost.tool in spec.scenario.tools
    before = draw(spec.scenario, 1, 5).sessions
    after = draw(without.spec.scenario, 1, 5).sessions
    for ours, theirs in zip(after, before, strict=True):
        assert [call.latency_ns for call in ours.model_calls] == [
            call.latency_ns for call in theirs.model_calls
        ]
        tools = [tool for call in ours.model_calls for tool in call.tool_calls]
        assert tools
        assert all(tool.latency_ns == 0 for tool in tools)


class Carrying:
    """Trials that carry what is listed, one after the other."""

    def __init__(self, *per_s: float | None) -> None:
        self._per_s = iter(per_s)

    def run(self, _spec: TrialSpec) -> TrialResult | NotApplicable:
        per_s = next(self._per_s)
        if per_s is None:
            return NotApplicable("no such session")
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, SECOND_NS)
        return replace(TRIAL, samples=(sample,), makespan_ns=round(SECOND_NS / per_s))


def test_the_gain_of_a_fix_is_what_is_gained_without_the_cost() -> None:
    changes = list(what_ifs(spec_of("busy-model")))
    free, unlimited = gains_of(cell(16, 10), reversed(changes), Carrying(10.0, 15.0))
    assert (free.cost, round(free.gain, 6)) == (changes[0].cost, 0.5)
    assert unlimited.gain == pytest.approx(0)
    (only,) = gains_of(cell(16, 10), changes, Carrying(None, 12.0))
    assert only.cost == changes[1].cost


def advised(*gains: Gain, double_load_per_s: float = 120.0) -> str:
    best = cell(100, 98, efficiency=0.8)
    at_double_load = cell(
        200,
        double_load_per_s,
        cpu_s_per_session=0.008,
        time_parts_s=TimeParts(llm=1.0, connection=0.3, ready=0.4, cpu=0.01, remainder=0.2),
        pools=(PoolUse(client="httpx2", most=100, waits=400),),
        own_waits=(
            OwnWait(place="agent.py:session:18", awaits="asyncio.Lock.acquire", seen_s=1.0),
        ),
        loop_blockers=(
            LoopBlocker(
                place="agent.py:summarise",
                cause=Cause.WAITING,
                times=1,
                total_s=0.3,
                longest_s=0.3,
                stack=("agent.py:session:20", "agent.py:summarise:7"),
            ),
        ),
    )
    run = Run(created_at="", command="", environment=HEADER.environment, cells=(best, cell(50, 60)))
    others = (cell(64, 55, strategy="threads", loop="none"),)
    advice = Advice(best, others, at_double_load, gains, DATA_FLOW)
    return "\n".join(f"{heading}: {line}" for heading, line in advice_lines(advice, run))


@pytest.mark.once
def test_the_wording_of_the_advice() -> None:
    text = advised(
        Gain(Cost(CostKind.CLIENT_CPU), cell(200, 180), 0.5),
        Gain(Cost(CostKind.MODEL_LIMITS), cell(200, 132), 0.1),
        Gain(Cost(CostKind.TOOL_CPU, "parse"), cell(200, 126), 0.05),
        Gain(Cost(CostKind.TOOL_BLOCKING, "lookup"), cell(200, 121), 0.008),
    )
    assert_golden("advice", text)


def test_what_streams_is_advised_on_with_its_time_to_first_token_and_output() -> None:
    best = cell(
        100,
        98,
        ttft_s=LatencySummary(p50=0.2, p99=0.4),
        first_output_s=LatencySummary(p50=0.25),
    )
    run = Run(created_at="", command="", environment=HEADER.environment, cells=(best,))
    other = cell(64, 55, strategy="threads", ttft_s=LatencySummary(p50=0.3))

    lines = dict(advice_lines(Advice(best, (other,), best, ()), run))

    assert lines["expect"].startswith(
        "98.0 sessions/s, p99 1.00 s, TTFT p99 400 ms, first output p50 250 ms"
    )
    assert "p99 1.00 s, TTFT p50 300 ms" in lines["others"]


def test_a_cell_in_which_every_session_failed_has_no_gains_and_says_so() -> None:
    changes = list(what_ifs(spec_of("busy-model")))
    assert gains_of(cell(16, 0), changes, Carrying()) == ()
    assert "limit: the load itself: every session failed" in advised(double_load_per_s=0.0)


def test_where_no_cost_counts_it_says_what_sessions_wait_for() -> None:
    assert "limit: waiting for the model and tools" in advised()
    assert (
        "limit: sessions waited for the event loop or the GIL: 21 % of their time at concurrency "
        "200"
    ) in advised(double_load_per_s=97.0)


def test_a_little_more_at_twice_the_load_is_no_rise() -> None:
    """A pool of five is full at 25 sessions, and 256 of them still carry 1 % more than 128."""
    assert "limit: sessions waited for the event loop" in advised(double_load_per_s=99.0)


def test_where_nothing_counts_it_says_so() -> None:
    best = cell(100, 98)
    run = Run(created_at="", command="", environment=HEADER.environment, cells=(best,))

    lines = dict(advice_lines(Advice(best, (), cell(200, 97), ()), run))

    assert lines["limit"] == "none of the costs that can be taken away"


def test_the_command_advises_and_writes_the_sweep(
    warpbench: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "narrow.toml").write_text(
        'name = "narrow"\ndescription = "Three places."\nsessions = 12\n'
        "[model]\nlatency_s = 0.5\n[model.limits]\nconcurrency = 3\n[[rounds]]\n"
    )
    out = str(tmp_path / "out")
    narrow = ("advise", str(tmp_path / "narrow.toml"), "--strategy", "gather", "--loop", "asyncio")
    narrow = (*narrow, "--trials", "1")
    done = warpbench(*narrow, "--out", out)
    assert done.status == 0, done.err
    assert "limit    throughput would rise most if the model had no limits" in done.out
    assert (tmp_path / "out" / "report.html").exists()

    # Held to an objective, the same sweep would find the same.
    swept = read_run(tmp_path / "out" / "run.json")
    monkeypatch.setattr(
        "warpbench.bench.cli.advise.run_cells",
        lambda header, *_, **__: (replace(swept, objective=header.objective), False),
    )
    none = warpbench(*narrow, "--slo", "max=1ms", "--out", out)
    assert none.status == 1
    assert "no load is known to meet the objective" in " ".join(none.out.split())
    assert "--slo max=1ms: missed" in none.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--concurrency", "5"], "no such option --concurrency"),
        (["tools"], "unexpected argument 'tools'"),
        (["--slo", "p98=1s"], "--slo"),
    ],
)
def test_what_cannot_be_advised_on_is_refused(
    warpbench: Callable[..., Any], more: list[str], message: str
) -> None:
    done = warpbench("advise", "chat", *more)
    assert done.status == 2
    assert message in done.err
