"""Sessions as swim lanes in text: one sees what overlapped, and what stood still."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...bench.results.blocked_loop import BlockedLoop
from ...bench.results.samples import SessionSample
from ...mocks.clock import seconds
from ...mocks.observe.waits import Wait

MODEL, TOOL, TOOLS, NEITHER, BLOCKED = "█", "▒", "▓", "·", "!"
LEGEND = f"{MODEL} model  {TOOL} a tool  {TOOLS} tools in parallel  {NEITHER} neither"
_WIDTH = 60
_MOST_LANES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SwimLanes:
    """What is drawn; all times in nanoseconds on the trial's clock.

    Attributes:
        samples: The sessions.
        waits: Their calls.
        blocked_loop: When an event loop was blocked.
        origin_ns: Time on the clock at which the samples count from 0.
        end_ns: The end of the last session, from there.
    """

    samples: Sequence[SessionSample]
    waits: Sequence[Wait]
    blocked_loop: Sequence[BlockedLoop]
    origin_ns: int
    end_ns: int


def swim_lanes(lanes: SwimLanes, width: int = _WIDTH) -> str:
    """Return a lane for each session, in the order of their numbers, and a legend.

    Args:
        lanes: What to draw.
        width: Columns for the time that all of it took.
    """
    samples = sorted(lanes.samples, key=lambda sample: sample.session)
    shown = samples[:_MOST_LANES]
    lines = [f"{'':>8} 0 s {f'{seconds(lanes.end_ns):.3f} s':>{width - 4}}"]
    lines += [f"{sample.session:>8} {_lane(sample, lanes, width)}" for sample in shown]
    if len(samples) > len(shown):
        lines.append(f"{'':>8} and {len(samples) - len(shown)} more sessions")
    legend = LEGEND
    if lanes.blocked_loop:
        lines.append(f"{'loop':>8} {_blocked_lane(lanes, width)}")
        legend += f"  {BLOCKED} loop blocked"
    lines.append(f"{'':>8} {legend}")
    return "\n".join(lines)


def _lane(sample: SessionSample, lanes: SwimLanes, width: int) -> str:
    columns = [" "] * width
    for column in _columns(sample.start_ns, sample.end_ns, lanes.end_ns, width):
        columns[column] = NEITHER
    own = [wait for wait in lanes.waits if wait.session == sample.session]
    tools = [wait for wait in own if wait.index is not None]
    for column, count in _counted(tools, lanes, width).items():
        columns[column] = TOOL if count == 1 else TOOLS
    for column in _counted([wait for wait in own if wait.index is None], lanes, width):
        columns[column] = MODEL
    return "".join(columns)


def _counted(waits: Iterable[Wait], lanes: SwimLanes, width: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for wait in waits:
        start_ns, end_ns = wait.start_ns - lanes.origin_ns, wait.end_ns - lanes.origin_ns
        for column in _columns(start_ns, end_ns, lanes.end_ns, width):
            counts[column] = counts.get(column, 0) + 1
    return counts


def _blocked_lane(lanes: SwimLanes, width: int) -> str:
    columns = [" "] * width
    for each in lanes.blocked_loop:
        start_ns, end_ns = each.start_ns - lanes.origin_ns, each.end_ns - lanes.origin_ns
        for column in _columns(start_ns, end_ns, lanes.end_ns, width):
            columns[column] = BLOCKED
    return "".join(columns)


def _columns(start_ns: int, end_ns: int, whole_ns: int, width: int) -> Iterator[int]:
    """Yield the columns whose middle lies in a span of time; at least one, if it has length."""
    if whole_ns <= 0 or end_ns <= start_ns:
        return
    first = (2 * start_ns * width + whole_ns) // (2 * whole_ns)
    last = (2 * end_ns * width + whole_ns) // (2 * whole_ns)
    yield from range(max(0, min(first, width - 1)), min(max(last, first + 1), width))
