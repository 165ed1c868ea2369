"""What an exploration found, in the terminal: each failure on one screen."""

from collections.abc import Iterator, Sequence

from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.exploration import Exploration, Failure, FailureKind, Found
from ...bench.results.formatting import counted, plain, seconds, whole
from ...bench.results.isolation import leak_text
from ...bench.results.wrong_requests import sender_text, wrong_request_text

_TITLES = {
    FailureKind.LEAK: "text of one session reaches another",
    FailureKind.OTHER_CALLS: "a session makes another number of model calls than alone",
    FailureKind.OTHER_OUTCOME: "a session ends otherwise than alone",
    FailureKind.REFUSED_REQUEST: "the model is sent what the real API refuses",
    FailureKind.HANG: "the sessions cannot go on",
}


def exploration_lines(exploration: Exploration, scenario: str) -> Iterator[str]:
    """Yield the lines that say what was found in a cell.

    Args:
        exploration: What was found.
        scenario: The scenario as it was named on the command line.
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
    for found in exploration.found:
        yield ""
        yield from _found_lines(found, exploration, scenario)


def replay_lines(cell: Cell, schedule: int, failures: Sequence[Failure]) -> Iterator[str]:
    """Yield the lines that say what failed in one schedule."""
    what = counted(len(failures), "failure") if failures else "no failure"
    yield f"{_name(cell)}, schedule {whole(schedule)}: {what}"
    for failure in failures:
        yield f"  {_what(failure)}"


def _found_lines(found: Found, exploration: Exploration, scenario: str) -> Iterator[str]:
    cell = exploration.cell
    yield (
        f"{found.failure.kind}: {_TITLES[found.failure.kind]}, in {whole(found.seen_in)} of "
        f"{counted(exploration.schedules, 'schedule')}, first in schedule {whole(found.schedule)}"
    )
    yield f"  {_what(found.failure)}"
    yield f"  {counted(found.sessions, 'session')} {'shows' if found.sessions == 1 else 'show'} it"
    yield f"  {replay_command(cell, scenario, found)}"


def replay_command(cell: Cell, scenario: str, found: Found) -> str:
    """Return the command that runs the smallest case again."""
    loop = "" if cell.loop == NO_LOOP else f" --loop {cell.loop}"
    few = cell.concurrency < found.sessions
    concurrency = f" --concurrency {cell.concurrency}" if few else ""
    return (
        f"warpbench explore {scenario} --target {cell.target} --strategy {cell.strategy}{loop} "
        f"--sessions {found.sessions}{concurrency} --seed {cell.seed} --replay {found.schedule}"
    )


def _what(failure: Failure) -> str:
    at = "" if failure.at_s is None else f", after {seconds(failure.at_s)}"
    match failure.kind:
        case FailureKind.LEAK:
            owner = -1 if failure.owner is None else failure.owner
            how = leak_text(owner, failure.model_call, failure.place)
            return f"session {failure.session} {how}{at}"
        case FailureKind.OTHER_CALLS:
            return (
                f"session {failure.session} made {counted(failure.calls, 'model call')}, and "
                f"alone on the same latencies {whole(failure.calls_alone)}"
            )
        case FailureKind.OTHER_OUTCOME:
            return f"session {failure.session}: {plain(failure.error)}{at}"
        case FailureKind.REFUSED_REQUEST:
            how = wrong_request_text(failure.reason, failure.model_call, failure.place)
            return f"{sender_text(failure.session)} {how}{at}. The real API refuses that."
        case FailureKind.HANG:
            return plain(failure.error)


def _name(cell: Cell) -> str:
    on = "" if cell.loop == NO_LOOP else f" on {cell.loop}"
    return f"{cell.scenario}: {cell.target}, {cell.strategy}{on}"
