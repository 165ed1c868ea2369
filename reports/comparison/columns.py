"""The columns in which a cell is shown, the same in the terminal and on the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...bench.results.cell import FACTORS, NO_LOOP, Factor
from ...bench.results.formatting import DASH, mega_bytes, name, percent, plain, rate, seconds, whole
from ...bench.results.records import CellResult, Status
from ...bench.statistics.intervals import interval_of
from ...bench.statistics.objectives import Objectives
from ...bench.statistics.ranking import throughputs_per_s
from .ranking import ScenarioCells
from .summary_text import refused_text, sessions_lost


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table of cells.

    Attributes:
        heading: What stands above it.
        text: What it says about a measured cell.
        explanation: One sentence for the page: what the number means.
        rank: How soon it goes where there is little room; the greatest goes first, and
            a column of rank 0 stays.
        identifies: Whether it says which cell this is; if not, it is a measurement.
        is_name: Whether it is a text rather than a number.
    """

    heading: str
    text: Callable[[CellResult], str]
    explanation: str
    rank: int = 0
    identifies: bool = False
    is_name: bool = False


def precision(cell: CellResult) -> str:
    """Show half the width of the throughput's 95 % confidence interval, as a share of it."""
    interval = interval_of(throughputs_per_s(cell))
    return DASH if interval is None else percent(interval.half_width)


EFFICIENCY = Column(
    "efficiency",
    lambda cell: percent(cell.efficiency),
    "Ideal over measured makespan: 100 % is a scheduler that costs nothing. Below the table "
    "stands what the ideal is of, if it is not the script.",
)


def _column_of(key: str, factor: Factor) -> Column:
    return Column(
        factor.heading,
        lambda result: factor.text(getattr(result.cell, key)),
        factor.explanation,
        identifies=True,
        is_name=factor.is_name,
    )


_P99_FROM_ACTUAL_START = Column(
    "p99 (from actual start)",
    lambda cell: seconds(None if cell.raw_latency_s is None else cell.raw_latency_s.p99),
    "p99 of latency without the time that a session waited because the client was late.",
    rank=5,
)
_START_RATE = Column(
    "start rate",
    lambda cell: rate(cell.delivered_per_s),
    "Sessions started, over the time in which they were.",
    rank=5,
)

_STREAMED = (
    Column(
        "TTFT p50",
        lambda cell: seconds(cell.ttft_s.p50),
        "Median time to first token of the streamed model calls.",
        rank=3,
    ),
    Column(
        "TTFT p99",
        lambda cell: seconds(cell.ttft_s.p99),
        "99th percentile of it; a dash where there are too few streamed calls for it.",
        rank=3,
    ),
    Column(
        "ITL p99",
        lambda cell: seconds(cell.itl_s.p99),
        "99th percentile of the inter-token latency, the time between two pieces of a stream.",
        rank=7,
    ),
    Column(
        "tokens/s",
        lambda cell: rate(cell.tokens_per_s.p50),
        "Median of the tokens a second of a stream, after its first token.",
        rank=7,
    ),
)
_YIELDED = (
    Column(
        "first output p50",
        lambda cell: seconds(cell.first_output_s.p50),
        "Median time until a session yields its first output.",
        rank=4,
    ),
    Column(
        "first output p99",
        lambda cell: seconds(cell.first_output_s.p99),
        "99th percentile of it; a dash where too few sessions yield their output.",
        rank=4,
    ),
)

_DRIVEN = (
    Column(
        "strategy",
        lambda result: name(result.cell.strategy),
        "How sessions are run concurrently.",
        identifies=True,
        is_name=True,
    ),
    Column(
        "loop",
        lambda result: DASH if result.cell.loop == NO_LOOP else name(result.cell.loop),
        "The event loop; a dash where there is none.",
        identifies=True,
        is_name=True,
    ),
)
_ALWAYS = (
    Column(
        "concurrency",
        lambda result: whole(result.cell.concurrency),
        "Sessions in flight at a time.",
        identifies=True,
    ),
    Column(
        "makespan",
        lambda cell: seconds(cell.makespan_s),
        "Time from the start to the end of the last session, on the trial's clock.",
        rank=6,
    ),
    Column(
        "ideal",
        lambda cell: seconds(cell.ideal_makespan_s),
        "Makespan of a scheduler that costs nothing.",
        rank=8,
    ),
    EFFICIENCY,
    Column(
        "throughput",
        lambda cell: rate(cell.throughput_per_s),
        "Successful sessions over the makespan.",
    ),
    Column(
        "± 95 % CI",
        precision,
        "Half the width of the throughput's 95 % confidence interval, over the trials.",
        rank=6,
    ),
    Column("p50", lambda cell: seconds(cell.latency_s.p50), "Median latency of a session.", rank=1),
    Column(
        "p99",
        lambda cell: seconds(cell.latency_s.p99),
        "99th percentile of latency; a dash where there are too few sessions for it.",
        rank=1,
    ),
    Column(
        "CPU/session",
        lambda cell: seconds(cell.cpu_s_per_session),
        "CPU time of the process per session.",
        rank=5,
    ),
    Column(
        "RSS",
        lambda cell: mega_bytes(cell.peak_rss_bytes),
        "Peak resident memory of the process.",
        rank=7,
    ),
    Column(
        "wall time",
        lambda cell: seconds(cell.elapsed_s),
        "Real time that the sessions of a trial took.",
        rank=9,
    ),
)


def columns_for(
    scenario: ScenarioCells, objectives: Objectives | None = None
) -> tuple[Column, ...]:
    """Choose the columns for a scenario: what its cells all share, or none has, needs none.

    Args:
        scenario: The cells.
        objectives: The objectives that were asked for, by which goodput is counted.
    """
    varying = (
        column
        for column in (_column_of(key, factor) for key, factor in FACTORS.items())
        if len({column.text(cell) for cell in scenario.cells}) > 1
    )
    in_open_loop = any(cell.raw_latency_s is not None for cell in scenario.cells)
    is_streamed = any(cell.ttft_s.p50 is not None for cell in scenario.cells)
    # How its requests run is up to a service as deployed.
    is_driven = not all(cell.cell.workers for cell in scenario.cells)
    yields_output = any(cell.first_output_s.p50 is not None for cell in scenario.cells)
    return (
        *varying,
        *(_DRIVEN if is_driven else ()),
        *_ALWAYS,
        *(() if objectives is None else (_goodput(objectives),)),
        *(_STREAMED if is_streamed else ()),
        *(_YIELDED if yields_output else ()),
        *((_P99_FROM_ACTUAL_START, _START_RATE) if in_open_loop else ()),
    )


def _goodput(objectives: Objectives) -> Column:
    return Column(
        "goodput",
        lambda cell: rate(objectives.goodput_per_s(cell)),
        "Successful sessions that were within every limit of the objectives, over the makespan.",
        rank=2,
    )


def columns_that_fit(
    columns: Sequence[Column], width_of: Callable[[Column], int], width: int
) -> tuple[Column, ...]:
    """Leave out the least important columns until the others fit a width.

    Args:
        columns: The columns in the order in which they stand.
        width_of: What a column takes, with the space around it.
        width: What there is.

    Returns:
        The columns that stay; those of rank 0 do, whatever they take.
    """
    kept = list(columns)
    while sum(map(width_of, kept)) > width:
        greatest = max((column.rank for column in kept), default=0)
        if greatest == 0:
            break
        # A p50 and its p99 share a rank: the one means little without the other.
        kept = [column for column in kept if column.rank < greatest]
    return tuple(kept)


def remark(cell: CellResult) -> str:
    """Say why a cell has no result or is not ranked, or which of its sessions did not succeed."""
    reason = plain(cell.error or "")
    if cell.status is Status.MEASURED:
        lost = sessions_lost(cell)
        what = f"{lost} of {whole(cell.sessions.started)} sessions" if lost else ""
        whose = f"{what}: {reason}" if what and reason else what
        refused = "" if cell.is_undistorted else f"not ranked: {refused_text([cell])}"
        return "; ".join(filter(None, (refused, whose)))
    word = "failed" if cell.status is Status.FAILED else "not applicable"
    return f"{word}: {reason}" if reason else word
