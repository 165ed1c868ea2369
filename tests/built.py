"""Values that many tests begin with: a cell, a trial, what one came to, and an observer."""

from collections.abc import Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

from warpbench.bench.results.cell import Cell
from warpbench.bench.results.data_flow import DataFlow, FlowKind, FlowNode, Overlap
from warpbench.bench.results.records import CellResult, Environment, TrialFigures
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.measurement import RunHeader
from warpbench.mocks.clock import ClockMode

CELL = Cell(
    scenario="tools",
    target="agent",
    strategy="gather",
    loop="asyncio",
    transport="respx",
    clock=ClockMode.WARP,
    concurrency=10,
    session_count=100,
    seed=1,
    tool_workers=10,
)
_WAITS_MS = (
    (FlowKind.MODEL, "", "my_agent.py:is_safe:15", 0, 300, 0),
    (FlowKind.MODEL, "", "my_agent.py:build.<locals>.answer:18", 300, 800, 0),
    (FlowKind.TOOL, "search", "my_agent.py:answer:21", 800, 1000, 0),
    (FlowKind.TOOL, "search", "my_agent.py:answer:21", 1000, 1200, 0),
    (FlowKind.SERVICE, "news.example", "my_agent.py:answer:22", 1200, 1300, 0),
    (FlowKind.MODEL, "", "my_agent.py:answer:25", 1500, 2000, 200),
)
DATA_FLOW = DataFlow(
    latency_ns=2_000_000_000,
    bound_ns=1_400_000_000,
    nodes=tuple(
        FlowNode(
            kind=kind,
            name=name,
            place=place,
            begin_ns=begin_ms * 1_000_000,
            end_ns=end_ms * 1_000_000,
            lead_ns=lead_ms * 1_000_000,
        )
        for kind, name, place, begin_ms, end_ms, lead_ms in _WAITS_MS
    ),
    needs=((1, 2), (1, 3), (2, 5), (3, 5), (4, 5)),
    critical=(1, 2, 5),
    overlaps=(
        Overlap((0, 1), 300_000_000),
        Overlap((2, 3, 4), 290_000_000),
        Overlap((0, 4), 10_000_000),
    ),
)
FACTORS = tuple(part.name for part in fields_of(Cell))
TRIAL = TrialResult(
    samples=(),
    makespan_ns=2,
    ideal_makespan_ns=1,
    ideal_latencies_ns=(),
    llm_calls=0,
    tool_calls=0,
    peak_in_flight=0,
    cpu_s=0.0,
    peak_rss_bytes=0,
    elapsed_s=0.0,
)
HEADER = RunHeader(
    created_at="2026-01-01T00:00:00+00:00",
    command="warpbench run --target x:secret-of-theirs",
    environment=Environment(
        python="3", implementation="C", platform="L", cores=2, packages={}, commit=None
    ),
    secrets=("secret-of-theirs",),
)


class Nobody:
    """An observer that looks away."""

    def trial_begins(self, cell: Cell, done: int, total: int) -> None: ...
    def trial_ends(self, so_far: object) -> None: ...
    def cell_ends(self, result: CellResult) -> None: ...


def cell_result(**fields: Any) -> CellResult:
    """A cell with a result, of which a test says what matters to it."""
    return changed(CellResult(cell=CELL), **fields)


def changed(result: CellResult, **fields: Any) -> CellResult:
    """A result with other fields, those of its cell among them."""
    of_cell = {name: fields.pop(name) for name in FACTORS if name in fields}
    return replace(result, cell=replace(result.cell, **of_cell), **fields)


def trial_figures(
    throughput_per_s: float, cpu_s: float = 0.004, latency_ns: Sequence[int] = ()
) -> TrialFigures:
    """One trial of a cell, with sessions of these latencies, or without its sessions."""
    count = len(latency_ns)
    return TrialFigures(
        makespan_s=1.0,
        throughput_per_s=throughput_per_s,
        cpu_s_per_session=cpu_s,
        elapsed_s=1.0,
        session=tuple(range(count)),
        outcome=(Outcome.SUCCEEDED,) * count,
        start_ns=(0,) * count,
        latency_ns=tuple(latency_ns),
    )


def trial_with_streams(good: int, bad: int) -> TrialFigures:
    """One trial of a second: sessions with a first token after 300 ms, and some after 3 s."""
    count = good + bad
    figures = trial_figures(float(count), latency_ns=[3_500_000_000] * count)
    return replace(
        figures,
        first_output_ns=(400_000_000,) * good + (3_000_000_000,) * bad,
        longest_ttft_ns=(300_000_000,) * good + (3_000_000_000,) * bad,
        longest_gap_ns=(20_000_000,) * count,
    )
