"""What an exploration found, in the terminal: each failure on one screen."""

from collections.abc import Callable, Iterator, Sequence

from ...bench.results.case import Case
from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.exploration import (
    Cancelled,
    Difference,
    DrawnWait,
    Exploration,
    Failure,
    FailureKind,
    Found,
    Replayed,
)
from ...bench.results.formatting import code_place, counted, listed, plain, seconds, whole
from ...bench.results.steps import Step, StepKind
from ...mocks.clock import Choice
from ...mocks.workload.numbers import session_of
from ..comparison.failures import TITLES, failure_text, replay_command
from .swim_lanes import lanes_of, lanes_of_steps, swim_lanes

_DID = {
    StepKind.MODEL_CALL: "model call {}",
    StepKind.TOOL: "tool {}",
    StepKind.SERVICE: "request to {}",
    StepKind.OWN_WAIT: "waits in {}",
    StepKind.ADMISSION: "waits for a place in {}",
}
_MOST_STEPS = 10
_MOST_WAITING = 8
_MOST_DIFFERENCES = 10


def exploration_lines(
    exploration: Exploration,
    scenario: str,
    replays: Callable[[Found], str] | None = None,
) -> Iterator[str]:
    """Yield the lines that say what was found in a cell.

    Args:
        exploration: What was found.
        scenario: The scenario as it was named on the command line.
        replays: Says what runs the smallest case of a failure again; ``None`` for the command.
    """
    cell = exploration.cell
    if exploration.not_applicable is not None:
        yield f"{_name(cell)}: not applicable, {exploration.not_applicable}"
        return
    schedules = counted(exploration.schedules, "schedule")
    distinct = counted(len(exploration.found), "distinct failure")
    yield (
        f"{_name(cell)}: {schedules} of {counted(cell.session_count, 'session')} in "
        f"{seconds(exploration.elapsed_s)}: {distinct if exploration.found else 'no failure'}"
    )
    if exploration.schedules < exploration.of and not exploration.stopped_at_first:
        begins_at = exploration.begins_at + exploration.schedules
        why = "interrupted" if exploration.is_interrupted else "ended"
        left = counted(exploration.of - exploration.schedules, "schedule")
        yield f"{why} with {left} left; --from {begins_at} goes on"
    for found in exploration.found:
        yield ""
        yield from _found_lines(found, exploration)
        yield f"  {replays(found) if replays else replay_command(cell, scenario, found)}"
    for schedule, failure in exploration.not_repeated:
        yield ""
        yield (
            f"{failure.kind} in schedule {whole(schedule)}, which did not come again in a fresh "
            "trial: something beside the schedule has an influence, such as real time, real "
            "randomness, or state that an earlier trial left in this process"
        )
        yield f"  {failure_text(failure)}"


def replayed_lines(cell: Cell, replayed: Replayed) -> Iterator[str]:
    """Yield the lines that say what failed in one case, and where it could not be followed."""
    case, failures, unfit = replayed.case, replayed.failures, replayed.unfit
    what = counted(len(failures), "failure") if failures else "no failure"
    part = " in part" if case != Case(case.schedule) else ""
    yield f"{_name(cell)}, schedule {whole(case.schedule)}{part}: {what}"
    for failure in failures:
        yield f"  {failure.kind}: {failure_text(failure)}"
    if unfit:
        first, others = unfit[0], len(unfit) - 1
        more = f", nor could {counted(others, 'further choice')}" if others else ""
        yield (
            f"  The case no longer fits: after {plain(first.after)}, {plain(first.chosen)} could "
            f"not be chosen (choice {whole(first.ordinal + 1)} there){more}. "
            "The agent or what it runs on has changed; explore anew"
        )
    if replayed.trial is not None:
        yield from swim_lanes(lanes_of(replayed.trial)).splitlines()


def _found_lines(found: Found, exploration: Exploration) -> Iterator[str]:
    cell = exploration.cell
    yield (
        f"{found.failure.kind}: {TITLES[found.failure.kind]}, in {whole(found.seen_in)} of "
        f"{counted(exploration.schedules, 'schedule')}, first in schedule "
        f"{whole(found.case.schedule)}"
    )
    yield from (f"  {line}" for line in _what_lines(found.failure))
    if found.sessions:
        yield f"  {_sessions_text(found, cell.session_count)}"
    differences = found.differences
    if differences:
        yield "  Without any of these it does not show:"
        yield from (f"    {_difference(each)}" for each in differences[:_MOST_DIFFERENCES])
        if len(differences) > _MOST_DIFFERENCES:
            yield f"    and {len(differences) - _MOST_DIFFERENCES} more"
    if not found.sessions:
        yield "  It was not looked for a smaller case."
    elif not found.is_smallest:
        yield "  There may be a smaller case: the time for finding it ran out."
    yield from _step_lines(_steps_up_to(found.failure, found.steps))
    if found.steps:
        yield from (f"  {line}" for line in swim_lanes(lanes_of_steps(found.steps)).splitlines())


def _what_lines(failure: Failure) -> Iterator[str]:
    """Yield what went wrong; of those that wait for each other, each on a line."""
    first, *others = failure_text(failure).split("; ")
    yield first
    yield from (f"  {each}" for each in others[:_MOST_WAITING])
    if len(others) > _MOST_WAITING:
        yield f"  and {len(others) - _MOST_WAITING} more"


def _sessions_text(found: Found, of: int) -> str:
    named = listed([str(session) for session in found.case.sessions or ()])
    if found.sessions == of:
        return f"all {counted(of, 'session')} show it"
    noun = "session" if found.sessions == 1 else "sessions"
    verb = "shows" if found.sessions == 1 else "show"
    # Alone a session neither leaks nor hangs: the others are those of the warm-up.
    takes_two = found.failure.kind in {FailureKind.LEAK, FailureKind.DEADLOCK}
    before = ", after those of the warm-up" if found.sessions == 1 and takes_two else ""
    return f"{found.sessions} of {counted(of, 'session')} {verb} it: {noun} {named}{before}"


def _difference(difference: Difference) -> str:
    match difference:
        case DrawnWait(wait=wait, tool=tool, latency_s=latency_s, median_s=median_s):
            what = f"tool {plain(tool)}" if tool else "its answer"
            return (
                f"session {session_of(wait.number)}, model call {wait.step + 1}: {what} takes "
                f"{seconds(latency_s)}, not {seconds(median_s)} as usual"
            )
        case Cancelled(session=session, after_s=after_s):
            return f"session {session} is cancelled after {seconds(after_s)}"
        case Choice(after=after, chosen=chosen):
            return f"after {plain(after)}: {plain(chosen)} goes on before others that came first"


def _steps_up_to(failure: Failure, steps: Sequence[Step]) -> Sequence[Step]:
    """Return the last steps that had begun when something went wrong."""
    at_s = failure.at_s
    return [step for step in steps if at_s is None or step.begin_s <= at_s][-_MOST_STEPS:]


def _step_lines(steps: Sequence[Step]) -> Iterator[str]:
    rows = [
        (
            seconds(step.begin_s),
            f"session {step.session}",
            _DID[step.kind].format(plain(step.name) if step.name else step.model_call),
            seconds(step.end_s - step.begin_s),
            f"at {code_place(step.place)}" if step.place else "",
        )
        for step in steps
    ]
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        begin, *others = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"    {begin.strip():>{widths[0]}}  {'  '.join(others)}".rstrip()


def _name(cell: Cell) -> str:
    on = "" if cell.loop == NO_LOOP else f" on {cell.loop}"
    return f"{cell.scenario}: {cell.target}, {cell.strategy}{on}"
