"""Sessions as swim lanes in text: one sees what overlapped, and what stood still."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ...bench.results.blocked_loop import BlockedLoop
from ...bench.results.samples import Outcome, SessionSample
from ...bench.results.steps import Step, StepKind
from ...bench.results.timeline import LaneState, Timeline
from ...bench.results.trial_result import TrialResult
from ...mocks.clock import nanoseconds, seconds
from ...mocks.observe.waits import Wait, WaitKind

MODEL, TOOL, TOOLS, OWN_WAIT, NEITHER, BLOCKED = "█", "▒", "▓", "░", "·", "!"
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
        own_waits: From when to when each session waited in its own code, counted from there too, by
            its number.
    """

    samples: Sequence[SessionSample]
    waits: Sequence[Wait]
    blocked_loop: Sequence[BlockedLoop]
    origin_ns: int
    end_ns: int
    own_waits: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)


def own_waits_of(timeline: Timeline | None) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return from when to when the sessions of a timeline waited in their own code."""
    return {
        lane.session: tuple(
            span
            for span, state in zip(pairwise((*lane.from_ns, lane.end_ns)), lane.state, strict=True)
            if state is LaneState.OWN_WAIT
        )
        for lane in (() if timeline is None else timeline.lanes)
    }


def lanes_of(trial: TrialResult) -> SwimLanes:
    """Return what is drawn of a trial that has noted its waits."""
    return SwimLanes(
        samples=trial.samples,
        waits=trial.waits,
        blocked_loop=trial.blocked_loop,
        origin_ns=trial.origin_ns,
        end_ns=trial.makespan_ns,
        own_waits=own_waits_of(trial.timeline),
    )


def lanes_of_steps(steps: Sequence[Step]) -> SwimLanes:
    """Return what is drawn of some sessions of which the steps are known."""
    sessions = sorted({step.session for step in steps})
    own: dict[int, list[tuple[int, int]]] = {session: [] for session in sessions}
    for step in steps:
        if step.kind in {StepKind.OWN_WAIT, StepKind.ADMISSION}:
            own[step.session].append((nanoseconds(step.begin_s), nanoseconds(step.end_s)))
    return SwimLanes(
        samples=[
            SessionSample(
                session,
                Outcome.SUCCEEDED,
                min(nanoseconds(step.begin_s) for step in steps if step.session == session),
                max(nanoseconds(step.end_s) for step in steps if step.session == session),
            )
            for session in sessions
        ],
        waits=[
            Wait(
                WaitKind.MODEL if step.kind is StepKind.MODEL_CALL else WaitKind.TOOL,
                step.session,
                step.model_call - 1,
                None if step.kind is StepKind.MODEL_CALL else 0,
                step.name,
                nanoseconds(step.begin_s),
                nanoseconds(step.end_s),
            )
            for step in steps
            if step.kind not in {StepKind.OWN_WAIT, StepKind.ADMISSION}
        ],
        blocked_loop=(),
        origin_ns=0,
        end_ns=max((nanoseconds(step.end_s) for step in steps), default=0),
        own_waits=own,
    )


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
    if any(lanes.own_waits.get(sample.session) for sample in shown):
        legend += f"  {OWN_WAIT} waiting in its own code"
    if lanes.blocked_loop:
        lines.append(f"{'loop':>8} {_blocked_lane(lanes, width)}")
        legend += f"  {BLOCKED} loop blocked"
    lines.append(f"{'':>8} {legend}")
    return "\n".join(lines)


def _lane(sample: SessionSample, lanes: SwimLanes, width: int) -> str:
    columns = [" "] * width
    for column in _columns(sample.start_ns, sample.end_ns, lanes.end_ns, width):
        columns[column] = NEITHER
    for begin_ns, end_ns in lanes.own_waits.get(sample.session, ()):
        for column in _columns(begin_ns, end_ns, lanes.end_ns, width):
            columns[column] = OWN_WAIT
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
