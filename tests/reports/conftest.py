"""Sample runs with plausible figures, and the degenerate ones that a report must survive."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.finding_text import finding
from warpbench.bench.results.records import (
    CellResult,
    Environment,
    Finding,
    FindingKind,
    LatencySummary,
    Run,
    SessionCounts,
    Status,
)
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.timeline import Lane, LaneState, Timeline, Vitals
from warpbench.mocks.clock import ClockMode, nanoseconds
from warpbench.reports.charts.chart import RenderedChart
from warpbench.reports.charts.render import render_charts

from ..built import DATA_FLOW, changed, trial_figures
from ..built import cell_result as built
from ..conftest import written_out

ENVIRONMENT = Environment(
    python="3.11.7",
    implementation="CPython",
    platform="Linux-6.1-x86_64",
    cores=2,
    packages={"httpx2": "2.16.2", "openai": "3.52.0", "respx": "0.23.1", "uvloop": "0.23.0"},
    commit="3b089cf",
)
SERVED = {"target": "agent", "transport": "respx", "clock": ClockMode.WARP, "seed": 7}
IDEAL_LATENCY = LatencySummary(p50=1.2, p90=1.50, p95=1.58, p99=1.64, max=1.66, mean=1.22)
SCATTER = (0.99, 1.0, 1.01)
HOSTILE = "<script>alert('$\\frac{1}{0}$')</script>\x1b[31m\n& \"quoted\" \u202eevil"


def build_cell(
    strategy: str,
    loop: str,
    concurrency: int,
    efficiency: float = 0.97,
    *,
    scenario: str = "tools",
    session_s: float = 1.25,
    spread: float = 0.5,
    **fields: Any,
) -> CellResult:
    """A measured cell: four rounds of sessions, slowed down to the given efficiency."""
    session_count = concurrency * 4
    ideal = 4 * session_s * 1.12
    makespan = ideal / efficiency
    # One at a time nobody is in the way: only the whole takes long.
    segment = 1.01 if strategy == "sync" else 1 + (1 / efficiency - 1) * 0.8
    quantiles = tuple(
        session_s * segment * (1 - spread / 3 + spread * (q / 100) ** (1 + q / 60))
        for q in range(101)
    )
    enough = session_count >= 100
    measured = {
        "session_count": session_count,
        "tool_workers": 32,
        "trials": 3,
        "sessions": SessionCounts(started=3 * session_count, succeeded=3 * session_count),
        "makespan_s": makespan,
        "ideal_makespan_s": ideal,
        "efficiency": efficiency,
        "throughput_per_s": session_count / makespan,
        # The trials of all cells scatter alike, as those of cells that take turns do.
        "trial_figures": ()
        if "arrivals" in fields
        else tuple(trial_figures(session_count / makespan * by) for by in SCATTER),
        "latency_s": LatencySummary(
            p50=quantiles[50],
            p90=quantiles[90] if session_count >= 10 else None,
            p95=quantiles[95] if session_count >= 20 else None,
            p99=quantiles[99] if enough else None,
            max=quantiles[100],
            mean=sum(quantiles) / 101,
        ),
        "latency_quantiles_s": quantiles,
        "ideal_latency_s": IDEAL_LATENCY,
        "llm_calls": 2 * session_count,
        "tool_calls": 2 * session_count,
        "peak_in_flight": concurrency,
        "cpu_s_per_session": 0.0037,
        "peak_rss_bytes": 88_000_000 + 40_000 * concurrency,
        "elapsed_s": 0.0041 * session_count,
        # Next to nothing is lost, so that no sentence is said about it.
        "time_parts_s": TimeParts(llm=session_s * 0.6, tool=session_s * 0.38, cpu=session_s * 0.02),
        "vitals": _vitals(makespan, concurrency) if loop != "none" else None,
        "probe_share": 0.02,
    }
    identity = {
        "scenario": scenario,
        "strategy": strategy,
        "loop": loop,
        "one_at_a_time": strategy == "sync",
    }
    return built(**{**SERVED, **measured, **identity, "concurrency": concurrency, **fields})


def _vitals(makespan_s: float, concurrency: int) -> Vitals:
    """A loop that comes round later, the more sessions it has."""
    count = 20
    at_ns = tuple(nanoseconds(makespan_s * index / count) for index in range(count))
    same = (concurrency,) * count
    return Vitals(
        at_ns=at_ns,
        loop_lag_ns=tuple(20_000 * concurrency * (1 + index % 3) for index in range(count)),
        in_flight=same,
        sessions=same,
        threads=(1,) * count,
        tasks=same,
        rss_bytes=(88_000_000,) * count,
        cpu_ns=at_ns,
        gc_pause_ns=(0,) * count,
    )


def without_result(cell: CellResult, status: Status, error: str) -> CellResult:
    """The same cell, failed or not applicable."""
    return CellResult(
        cell=cell.cell,
        status=status,
        error=error,
    )


def build_run(cells: Sequence[CellResult], findings: Sequence[Finding] = ()) -> Run:
    """A run of the given cells."""
    return Run(
        created_at="2026-11-20T12:00:00+00:00",
        command="warpbench run tools --concurrency 1,10,100 --trials 3 --seed 7",
        environment=ENVIRONMENT,
        cells=tuple(cells),
        findings=tuple(findings),
    )


# By load 1, 10, 100: nothing to gain at one, threads run out of the GIL at a hundred.
EFFICIENCIES = {
    ("sync", "none"): (0.98, 0.098, 0.0098),
    ("threads", "none"): (0.985, 0.93, 0.60),
    ("executor", "asyncio"): (0.980, 0.90, 0.42),
    ("executor", "uvloop"): (0.981, 0.91, 0.44),
    ("gather", "asyncio"): (0.988, 0.975, 0.85),
    ("gather", "uvloop"): (0.989, 0.98, 0.965),
    ("taskgroup", "asyncio"): (0.987, 0.974, 0.86),
    ("taskgroup", "uvloop"): (0.989, 0.981, 0.972),
    ("workers", "asyncio"): (0.987, 0.968, 0.83),
    ("workers", "uvloop"): (0.988, 0.979, 0.951),
}


def build_sample() -> Run:
    """Six strategies, two loops, three loads; one cell failed, one strategy cannot apply."""
    cells = []
    for (strategy, loop), by_load in EFFICIENCIES.items():
        for load, efficiency in zip((1, 10, 100), by_load, strict=True):
            cell = build_cell(strategy, loop, load, efficiency)
            if (strategy, loop, load) == ("executor", "uvloop", 100):
                cell = without_result(cell, Status.FAILED, "the trial was killed by signal 9")
            if (strategy, loop, load) == ("threads", "none", 100):
                cell = replace(
                    cell,
                    sessions=SessionCounts(started=1200, succeeded=1195, failed=3, timed_out=2),
                    efficiency=None,  # failed sessions make it meaningless
                    error="APITimeoutError: Request timed out.",
                )
            if (strategy, loop, load) == ("taskgroup", "uvloop", 100):
                cell = replace(cell, data_flow=DATA_FLOW)
            cells.append(cell)
    blocking = build_cell("blocking", "asyncio", 100)
    cells.append(
        without_result(
            blocking, Status.NOT_APPLICABLE, "the target has no sync session to block the loop with"
        )
    )
    return build_run(
        cells,
        [
            finding(
                FindingKind.SESSIONS_FAILED,
                cell="tools/threads/none at concurrency 100",
                unsuccessful=5,
                started=1200,
                error="APITimeoutError: Request timed out.",
            ),
            finding(
                FindingKind.SESSIONS_LOST,
                cell="tools/gather/asyncio at concurrency 1",
                asked=12,
                started=11,
            ),
        ],
    )


def _scaled(cell: CellResult, factor: float) -> CellResult:
    """The same cell with every time multiplied."""

    def times(value: float | None, by: float = factor) -> float | None:
        return None if value is None else value * by

    def summary(values: LatencySummary) -> LatencySummary:
        names = ("p50", "p90", "p95", "p99", "max", "mean")
        return LatencySummary(**{name: times(getattr(values, name)) for name in names})

    return replace(
        cell,
        makespan_s=times(cell.makespan_s),
        ideal_makespan_s=times(cell.ideal_makespan_s),
        throughput_per_s=times(cell.throughput_per_s, by=1 / factor),
        latency_s=summary(cell.latency_s),
        ideal_latency_s=summary(cell.ideal_latency_s),
        latency_quantiles_s=tuple(value * factor for value in cell.latency_quantiles_s),
        elapsed_s=times(cell.elapsed_s),
    )


def _sample_scaled(factor: float) -> Run:
    """Some of the sample's cells, of each status, with every time multiplied."""
    some = {"sync", "threads", "executor", "blocking"}
    cells = (each for each in build_sample().cells if each.cell.strategy in some)
    return replace(build_sample(), cells=tuple(_scaled(cell, factor) for cell in cells))


def _identical() -> Run:
    same: dict[str, Any] = {
        "clock": ClockMode.VIRTUAL,
        "latency_s": LatencySummary(p50=1.2, p90=1.2, p95=1.2, p99=1.2, max=1.2, mean=1.2),
        "latency_quantiles_s": (1.2,) * 101,
    }
    return build_run(
        [
            build_cell(strategy, loop, load, 1.0, **same)
            for strategy in ("gather", "taskgroup", "workers")
            for loop in ("asyncio", "uvloop")
            for load in (1, 10, 100)
        ]
    )


def _without_waits() -> Run:
    nothing = LatencySummary(p50=0.0, p90=0.0, p99=0.0)
    cell = replace(
        build_cell("gather", "asyncio", 10),
        makespan_s=0.0,
        ideal_makespan_s=0.0,
        efficiency=None,
        throughput_per_s=None,
        latency_s=nothing,
        ideal_latency_s=nothing,
        latency_quantiles_s=(0.0,) * 101,
    )
    return build_run([cell, changed(cell, strategy="taskgroup")])


def _all(status: Status) -> Run:
    sample = build_sample()
    return replace(
        sample, cells=tuple(without_result(cell, status, "no reason") for cell in sample.cells)
    )


def _several_targets() -> Run:
    speed = {"bare-sdk": 0.97, "langgraph": 0.5, "my_package.agents.support:build_agent": 0.3}
    return build_run(
        [
            build_cell(strategy, "asyncio", load, efficiency * by_strategy, target=target)
            for target, efficiency in speed.items()
            for strategy, by_strategy in (("gather", 1.0), ("workers", 0.9))
            for load in (1, 10, 100)
        ]
    )


def _hostile() -> Run:
    cells = [
        changed(
            cell, scenario=HOSTILE, target=HOSTILE, strategy=f"{name}{HOSTILE}", loop=f"_{HOSTILE}"
        )
        for name in ("_", "名")
        for cell in (build_cell("x", "x", 1), build_cell("x", "x", 10))
    ]
    failed = without_result(changed(cells[0], concurrency=100), Status.FAILED, HOSTILE)
    run = build_run([*cells, failed], [Finding(FindingKind.INTERRUPTED, HOSTILE)])
    environment = replace(
        ENVIRONMENT, platform=HOSTILE, commit=HOSTILE, packages={HOSTILE: HOSTILE}
    )
    return replace(run, command=HOSTILE, created_at=HOSTILE, environment=environment)


def _every_session_failed() -> Run:
    cell = build_cell("gather", "asyncio", 10)
    return build_run(
        [
            replace(
                cell,
                sessions=SessionCounts(started=120, failed=120),
                efficiency=None,
                error="RateLimitError: 429",
                throughput_per_s=0.0,
                latency_s=LatencySummary(),
                latency_quantiles_s=(),
            ),
            build_cell("taskgroup", "asyncio", 100),
        ]
    )


def _of_no_length() -> Run:
    """A target that raises before its first wait: lanes, and nothing on them."""
    lanes = tuple(
        Lane(session=number, outcome=Outcome.FAILED, end_ns=0, from_ns=(), state=())
        for number in range(3)
    )
    some = Lane(
        session=3, outcome=Outcome.SUCCEEDED, end_ns=9, from_ns=(0,), state=(LaneState.MODEL,)
    )
    timelines = (Timeline(lanes=lanes), Timeline(lanes=(*lanes, some)))
    cells = (build_cell(name, "asyncio", 10) for name in ("gather", "taskgroup"))
    return build_run(
        [replace(one, timeline=each) for one, each in zip(cells, timelines, strict=True)]
    )


DEGENERATE: dict[str, Callable[[], Run]] = {
    "no cell": lambda: build_run([]),
    "one cell": lambda: build_run([build_cell("gather", "asyncio", 10)]),
    "one concurrency": lambda: build_run(
        [build_cell(name, "asyncio", 50) for name in ("gather", "taskgroup")]
    ),
    "sync only": lambda: build_run([build_cell("sync", "none", 1, 0.99)]),
    "sync beside one load": lambda: build_run(
        [build_cell("sync", "none", 1, 0.99), build_cell("gather", "uvloop", 100)]
    ),
    "all failed": lambda: _all(Status.FAILED),
    "nothing applies": lambda: _all(Status.NOT_APPLICABLE),
    "every session failed": _every_session_failed,
    "several targets": _several_targets,
    "identical values": _identical,
    "no waits": _without_waits,
    "sessions of no length": _of_no_length,
    "hours": lambda: _sample_scaled(7200),
    "microseconds": lambda: _sample_scaled(1e-5),
    "many loads": lambda: build_run(
        [
            build_cell("gather", loop, load, 0.98 / (1 + load / 4000))
            for loop in ("asyncio", "uvloop")
            for load in (1, 2, 3, 5, 8, 10, 20, 50, 80, 100, 120, 200, 500, 1000, 5000, 10_000)
        ]
    ),
    "many strategies": lambda: build_run(
        [
            build_cell(f"third-party-strategy-{index}", loop, 100, 0.9 - index / 20)
            for index in range(12)
            for loop in ("asyncio", "rloop")
        ]
    ),
    "the same cell twice": lambda: build_run([build_cell("gather", "asyncio", 10)] * 2),
    "two scenarios": lambda: build_run(
        [
            build_cell(name, "asyncio", load, scenario=scenario)
            for scenario in ("tools", "Tools", "../etc/passwd", "...")
            for name in ("gather", "workers")
            for load in (10, 100)
        ]
    ),
    "hostile names": _hostile,
}
DRAWN_LIKE_ANOTHER = {
    "one concurrency": "one cell",
    "sync only": "one cell",
    "sync beside one load": "one cell",
    "nothing applies": "all failed",
    "several targets": "many strategies",
    "hours": "the sample",
    "microseconds": "the sample",
    "the same cell twice": "one cell",
    "two scenarios": "identical values",
}
"""Runs whose charts have the shape of those of another one: they are drawn in the slow suite."""


@pytest.fixture(scope="session")
def sample() -> Run:
    """The run that a report is made for."""
    return build_sample()


@pytest.fixture(scope="session")
def sample_charts(sample: Run) -> tuple[RenderedChart, ...]:
    """Its charts, drawn once for all tests that look at them."""
    return render_charts(sample)


@pytest.fixture(scope="session")
def cell() -> Callable[..., CellResult]:
    """Builds a measured cell."""
    return build_cell


@pytest.fixture(scope="session")
def without() -> Callable[..., CellResult]:
    """Builds a cell that has no result."""
    return without_result


@pytest.fixture(scope="session")
def run_of() -> Callable[..., Run]:
    """Builds a run of given cells."""
    return build_run


@pytest.fixture(scope="session", params=DEGENERATE, ids=str)
def degenerate_name(request: pytest.FixtureRequest) -> str:
    """The name of each of the runs that a report must survive."""
    return str(request.param)


@pytest.fixture(scope="session")
def degenerate(degenerate_name: str) -> Run:
    """Each of the runs that a report must survive."""
    return DEGENERATE[degenerate_name]()


def charts_as_svg(run: Run) -> tuple[RenderedChart, ...]:
    """Draw the charts of a run as SVG alone, which takes half the time."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("warpbench.reports.charts.render._as_png", lambda _: b"")
        return render_charts(run)


@pytest.fixture(scope="session")
def degenerate_charts(
    degenerate_name: str, degenerate: Run, request: pytest.FixtureRequest
) -> tuple[RenderedChart, ...]:
    """Its charts, once for all tests that look at them; some are described and not drawn."""
    if degenerate_name == "hostile names":
        drawn: tuple[RenderedChart, ...] = request.getfixturevalue("hostile_charts")
        return drawn
    if degenerate_name not in DRAWN_LIKE_ANOTHER:
        return charts_as_svg(degenerate)
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("warpbench.reports.charts.render.render", written_out)
        return render_charts(degenerate)


@pytest.fixture(scope="session")
def hostile() -> Run:
    """A run whose every name means harm."""
    return _hostile()


@pytest.fixture(scope="session")
def hostile_charts(hostile: Run) -> tuple[RenderedChart, ...]:
    """Its charts, drawn once for all tests that look at them."""
    return render_charts(hostile)
