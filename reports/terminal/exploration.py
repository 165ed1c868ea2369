"""What an exploration found, in the terminal: each failure on one screen."""

from collections.abc import Callable, Iterator, Sequence

from ...bench.results.cancellation import Cancellation
from ...bench.results.case import Case
from ...bench.results.cell import Cell
from ...bench.results.exploration import Exploration, Found, Replayed
from ...bench.results.formatting import counted, plain, seconds, whole
from ...bench.results.steps import Step
from ...mocks.clock import Choice
from ..comparison.exploration import (
    cell_text,
    found_text,
    not_compared_text,
    not_repeated_text,
    note_text,
    step_text,
    unfinished_text,
)
from ..comparison.failures import failure_text
from .swim_lanes import lanes_of, lanes_of_steps, swim_lanes

_MOST_STEPS = 10
_MOST_WAITING = 8
_MOST_DIFFERENCES = 10


def exploration_lines(
    exploration: Exploration,
    scenario: str,
    replays: Callable[[Case], str] | None = None,
) -> Iterator[str]:
    """Yield the lines that say what was found in a cell.

    Args:
        exploration: What was found.
        scenario: The scenario as it was named on the command line.
        replays: Says what runs a case again; ``None`` for the command.
    """
    cell = exploration.cell
    if exploration.not_applicable is not None:
        yield f"{cell_text(cell)}: not applicable, {exploration.not_applicable}"
        return
    schedules = counted(exploration.schedules, "schedule")
    distinct = counted(len(exploration.found), "distinct failure")
    yield (
        f"{cell_text(cell)}: {schedules} of {counted(cell.session_count, 'session')} in "
        f"{seconds(exploration.elapsed_s)}: {distinct if exploration.found else 'no failure'}"
    )
    unfinished = unfinished_text(exploration)
    if unfinished:
        yield unfinished
    for found in exploration.found:
        yield ""
        yield from _found_lines(found, exploration, scenario, replays)
    for schedule, failure in exploration.not_repeated:
        yield ""
        yield not_repeated_text(schedule, failure)
        yield f"  {failure_text(failure)}"
    if exploration.notes:
        yield ""
        yield from _note_lines(exploration, scenario, replays)


def replayed_lines(cell: Cell, replayed: Replayed) -> Iterator[str]:
    """Yield the lines that say what failed in one case, and where it could not be followed."""
    case, failures, unfit = replayed.case, replayed.failures, replayed.unfit
    what = counted(len(failures), "failure") if failures else "no failure"
    part = " in part" if case != Case(case.schedule) else ""
    yield f"{cell_text(cell)}, schedule {whole(case.schedule)}{part}: {what}"
    for failure in failures:
        yield f"  {failure.kind}: {failure_text(failure)}"
    for note in replayed.notes:
        text = note_text(note, cell, cell.scenario, 1)
        others = note.sessions - 1
        more = f" (and {counted(others, 'further session')})" if others else ""
        yield f"  note: {text.first}{more}. Alone it did otherwise, which may be right: {text.why}"
    if unfit:
        first, others = unfit[0], len(unfit) - 1
        more = f", nor could {counted(others, 'further choice')}" if others else ""
        yield (
            f"  The case no longer fits: {_unfit_text(first)}{more}. "
            "The agent or what it runs on has changed; explore anew"
        )
    if replayed.trial is not None:
        yield from swim_lanes(lanes_of(replayed.trial)).splitlines()


def _note_lines(
    exploration: Exploration, scenario: str, replays: Callable[[Case], str] | None
) -> Iterator[str]:
    for note in exploration.notes:
        text = note_text(note, exploration.cell, scenario, exploration.schedules)
        yield f"note: {text.what}, which may be right there: {text.why}"
        yield f"  {text.first}"
        yield f"  {replays(note.case) if replays else text.replay}"
    if exploration.not_compared:
        yield f"note: {not_compared_text(exploration)}"


def _unfit_text(unfit: Choice | Cancellation) -> str:
    if isinstance(unfit, Cancellation):
        wait = f"{plain(unfit.what)} {whole(unfit.ordinal)}"
        return f"session {unfit.session} could not be cancelled in its wait for {wait}"
    return (
        f"after {plain(unfit.after)}, {plain(unfit.chosen)} could not be chosen "
        f"(choice {whole(unfit.ordinal + 1)} there)"
    )


def _found_lines(
    found: Found,
    exploration: Exploration,
    scenario: str,
    replays: Callable[[Case], str] | None,
) -> Iterator[str]:
    text = found_text(found, exploration, scenario)
    what, *waiting = text.what
    yield f"{text.kind}: {text.title}, {text.seen_in}"
    yield f"  {what}"
    yield from (f"    {line}" for line in _first(waiting, _MOST_WAITING))
    if text.sessions:
        yield f"  {text.sessions}"
    if text.differences:
        yield "  Without any of these it does not show:"
        yield from (f"    {line}" for line in _first(text.differences, _MOST_DIFFERENCES))
    if text.caveat:
        yield f"  {text.caveat}"
    yield from _step_lines(text.steps[-_MOST_STEPS:])
    if found.steps:
        yield from (f"  {line}" for line in swim_lanes(lanes_of_steps(found.steps)).splitlines())
    yield f"  {replays(found.case) if replays else text.replay}"


def _first(lines: Sequence[str], most: int) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"and {len(lines) - most} more"


def _step_lines(steps: Sequence[Step]) -> Iterator[str]:
    rows = [
        (text.begin, text.session, text.did, text.length, text.place)
        for text in map(step_text, steps)
    ]
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        begin, *others = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"    {begin.strip():>{widths[0]}}  {'  '.join(others)}".rstrip()
