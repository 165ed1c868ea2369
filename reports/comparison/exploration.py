"""What an exploration found, as values and sentences that its views share."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...bench.results.cancellation import AT_ITS_BEGIN, AT_ITS_END, Cancellation
from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.exploration import (
    Cancelled,
    Difference,
    DrawnWait,
    Exploration,
    Failure,
    FailureKind,
    Found,
    MayDiffer,
    Note,
)
from ...bench.results.formatting import (
    code_place,
    counted,
    listed,
    plain,
    seconds,
    time_unit,
    whole,
)
from ...bench.results.steps import Step, StepKind
from ...mocks.clock import Choice
from ...mocks.workload.numbers import kind_of, session_of
from .failures import TITLES, failure_text, replay_command

_DID = {
    StepKind.MODEL_CALL: "model call {}",
    StepKind.TOOL: "tool {}",
    StepKind.SERVICE: "request to {}",
    StepKind.OWN_WAIT: "waits in {}",
    StepKind.ADMISSION: "waits for a place in {}",
}
_AWAITED = {
    StepKind.MODEL_CALL: "for model call {}",
    StepKind.TOOL: "for tool {}",
    StepKind.SERVICE: "for a response of {}",
    StepKind.OWN_WAIT: "in {}",
    StepKind.ADMISSION: "for a place in {}",
}
_MAY_DIFFER = {
    MayDiffer.FAULTS: "the scenario has faults",
    MayDiffer.LIMITS: "the model has limits",
    MayDiffer.CANCELLATIONS: "other sessions were cancelled",
    MayDiffer.EXPIRED_TIMERS: "time limits expired",
}
_MOMENTS = {AT_ITS_BEGIN: "at the begin of", AT_ITS_END: "at the end of"}
_NANOSECOND = 9
"""Decimals of a second that count: those of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """A failure with its smallest case, in sentences; a view shows as many as it has room for.

    Attributes:
        kind: What went wrong, by its name.
        title: The same in a few words.
        seen_in: In how many schedules, and in which first.
        what: What went wrong here; of those that wait for each other, each by itself.
        sessions: Which sessions show it; empty where no smaller case was looked for.
        differences: What it takes beside the sessions; without any of it the failure does not show.
        caveat: Why there may be a smaller case; empty if there is none.
        steps: What the sessions had begun when it went wrong, in that order.
        replay: The command that runs the case again.
    """

    kind: str
    title: str
    seen_in: str
    what: tuple[str, ...]
    sessions: str
    differences: tuple[str, ...]
    caveat: str
    steps: tuple[Step, ...]
    replay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepText:
    """A step, in words.

    Attributes:
        begin: When it began.
        session: Whose it is.
        did: What the session did.
        length: How long it took.
        place: The place in the user's code; empty if it is not known.
    """

    begin: str
    session: str
    did: str
    length: str
    place: str


def found_text(found: Found, exploration: Exploration, scenario: str) -> FoundText:
    """Return what is said of a failure.

    Args:
        found: The failure.
        exploration: What it was found in.
        scenario: The scenario as it was named on the command line.
    """
    failure = found.failure
    schedules = counted(exploration.schedules, "schedule")
    return FoundText(
        kind=failure.kind.value,
        title=TITLES[failure.kind],
        seen_in=(
            f"in {whole(found.seen_in)} of {schedules}, first in schedule "
            f"{whole(found.case.schedule)}"
        ),
        what=tuple(failure_text(failure).split("; ")),
        sessions=_sessions_text(found, exploration.cell.session_count) if found.sessions else "",
        differences=tuple(map(_difference, found.differences)),
        caveat=_caveat(found),
        steps=steps_up_to(failure, found.steps),
        replay=replay_command(exploration.cell, scenario, found.case),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteText:
    """A note, in sentences.

    Attributes:
        what: What sessions did otherwise than alone, in how many schedules.
        why: Why that may be right.
        first: The first of them.
        replay: The command that shows it.
    """

    what: str
    why: str
    first: str
    replay: str


def note_text(note: Note, cell: Cell, scenario: str, schedules: int) -> NoteText:
    """Return what is said of a note.

    Args:
        note: The note.
        cell: The cell in which it was made.
        scenario: The scenario as it was named on the command line.
        schedules: How many schedules were run.
    """
    is_outcome = note.kind is FailureKind.OTHER_OUTCOME
    did = "ended otherwise" if is_outcome else "made another number of model calls"
    return NoteText(
        what=(
            f"{counted(note.sessions, 'session')} in {whole(note.schedules)} of "
            f"{counted(schedules, 'schedule')} {did} than alone"
        ),
        why=listed([f"{_MAY_DIFFER[reason]} ({whole(count)})" for reason, count in note.reasons]),
        first=failure_text(note.first),
        replay=replay_command(cell, scenario, note.case),
    )


def not_compared_text(exploration: Exploration) -> str:
    """Say in how many schedules that would have taken a run alone; empty if in none."""
    if not exploration.not_compared:
        return ""
    more = counted(exploration.not_compared, "further schedule")
    return (
        f"in {more} of this kind sessions failed or made another number of model calls than usual, "
        "and were not compared with themselves alone"
    )


def steps_up_to(failure: Failure, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps that had begun when something went wrong; all if that is not known."""
    at_s = failure.at_s
    return tuple(step for step in steps if at_s is None or step.begin_s <= at_s)


def step_text(step: Step) -> StepText:
    """Return a step in words."""
    return StepText(
        begin=seconds(step.begin_s),
        session=f"session {step.session}",
        did=_DID[step.kind].format(plain(step.name) if step.name else step.model_call),
        length=seconds(step.end_s - step.begin_s),
        place=f"at {code_place(step.place)}" if step.place else "",
    )


def times_text(times_s: Sequence[float]) -> tuple[str, ...]:
    """Show times that are read one beside the other.

    Three digits each; where they would make two times one, as many decimals as tell them apart.
    """
    texts = tuple(map(seconds, times_s))
    distinct = len({round(at_s, _NANOSECOND) for at_s in times_s})
    unit = time_unit(max(times_s, default=0.0))
    decimals = 0
    while len(set(texts)) < distinct:
        decimals += 1
        texts = tuple(f"{at_s / unit.factor:,.{decimals}f} {unit.name}" for at_s in times_s)
    return texts


def cell_text(cell: Cell) -> str:
    """Name a cell that is explored."""
    on = "" if cell.loop == NO_LOOP else f" on {cell.loop}"
    return f"{cell.scenario}: {cell.target}, {cell.strategy}{on}"


def unfinished_text(exploration: Exploration) -> str:
    """Say how many schedules were not run, and how to go on; empty if all were that should be."""
    if exploration.schedules >= exploration.of or exploration.stopped_at_first:
        return ""
    begins_at = exploration.begins_at + exploration.schedules
    why = "interrupted" if exploration.is_interrupted else "ended"
    left = counted(exploration.of - exploration.schedules, "schedule")
    return f"{why} with {left} left; --from {begins_at} goes on"


def not_repeated_text(schedule: int, failure: Failure) -> str:
    """Say that a failure did not come again, and what that means."""
    return (
        f"{failure.kind} in schedule {whole(schedule)}, which did not come again in a fresh "
        "trial: something beside the schedule has an influence, such as real time, real "
        "randomness, or state that an earlier trial left in this process"
    )


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
            takes, usual = times_text((latency_s, median_s))
            where = "" if kind_of(wait.number) is None else " of a further conversation"
            call = f"session {session_of(wait.number)}, model call {wait.step + 1}{where}"
            return f"{call}: {what} takes {takes}, not {usual} as usual"
        case Cancelled(session=session, after_s=after_s, wait=wait, step=step):
            where = "" if wait is None else f" {_MOMENTS.get(wait.after_ns, 'in')} its wait"
            where += _awaited(step, wait)
            comma = "," if where else ""
            return f"session {session} is cancelled{where}{comma} after {seconds(after_s)}"
        case Choice(after=after, chosen=chosen):
            return f"after {plain(after)}: {plain(chosen)} goes on before others that came first"


def _awaited(step: Step | None, wait: Cancellation | None) -> str:
    if wait is None:
        return ""
    if step is None:
        return f" for {plain(wait.what)} {wait.ordinal}"
    return f" {_AWAITED[step.kind].format(plain(step.name) if step.name else step.model_call)}"


def _caveat(found: Found) -> str:
    if not found.sessions:
        return "It was not looked for a smaller case."
    if not found.is_smallest:
        return "There may be a smaller case: the time for finding it ran out."
    return ""
