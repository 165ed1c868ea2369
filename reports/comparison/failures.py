"""What an exploration calls wrong, in sentences, and the command that shows it again."""

from collections.abc import Mapping
from types import MappingProxyType

from ...bench.results.case import Case, case_text
from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.exploration import Failure, FailureKind
from ...bench.results.formatting import code_place, counted, plain, seconds, whole
from ...bench.results.isolation import leak_text
from ...bench.results.left_behind import LeftBehind, LeftKind
from ...bench.results.wrong_requests import sender_text, wrong_request_text

TITLES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.LEAK: "text of one session reaches another",
        FailureKind.OTHER_CALLS: "a session makes another number of model calls than alone",
        FailureKind.OTHER_OUTCOME: "a session ends otherwise than alone",
        FailureKind.FAILED: "a session fails, and alone as well",
        FailureKind.REFUSED_REQUEST: "the model is sent what the real API refuses",
        FailureKind.LEFT_BEHIND: "the more sessions, the more is left behind",
        FailureKind.DEADLOCK: "all wait, and nobody can go on",
        FailureKind.LIVELOCK: "somebody runs on and on, and no time passes",
        FailureKind.STALL: "somebody blocks where the clock cannot see it, and nobody else can run",
        FailureKind.TIME_LIMIT: "the sessions do not come to their end",
        FailureKind.CRASH: "the process of the sessions ends",
    }
)


def failure_text(failure: Failure) -> str:
    """Say what went wrong, in one sentence."""
    at = "" if failure.at_s is None else f", after {seconds(failure.at_s)}"
    if failure.last_place:
        at += f", last seen at {code_place(failure.last_place)}"
    match failure.kind:
        case FailureKind.LEAK:
            owner = -1 if failure.owner is None else failure.owner
            how = leak_text(owner, failure.model_call, failure.place)
            return f"session {failure.session} {how}{at}"
        case FailureKind.OTHER_CALLS:
            return (
                f"session {failure.session} made {counted(failure.calls, 'model call')}, and "
                f"alone on the same latencies {whole(failure.calls_alone)}{at}"
            )
        case FailureKind.OTHER_OUTCOME | FailureKind.FAILED:
            return f"session {failure.session}: {plain(failure.error)}{at}"
        case FailureKind.REFUSED_REQUEST:
            how = wrong_request_text(failure.reason, failure.model_call, failure.place)
            return f"{sender_text(failure.session)} {how}{at}. The real API refuses that."
        case FailureKind.LEFT_BEHIND:
            assert failure.left is not None
            return _left_text(failure.left, failure)
        case _:
            return plain(failure.error)


_LEFT: Mapping[LeftKind, tuple[str, str]] = MappingProxyType(
    {
        LeftKind.TASK: ("task", "not done"),
        LeftKind.THREAD: ("thread", "not ended"),
        LeftKind.PERMIT: ("permit", "not given back"),
        LeftKind.CLIENT: ("HTTP client", "not closed"),
        LeftKind.STREAM: ("stream", "neither read to its end nor closed"),
        LeftKind.EXCEPTION: ("exception", "not retrieved"),
        LeftKind.COROUTINE: ("coroutine", "not awaited"),
    }
)


def _left_text(left: LeftBehind, failure: Failure) -> str:
    noun, state = _LEFT[left.kind]
    what = f" ({plain(left.what)})" if left.what else ""
    where = f", at {code_place(left.place)}" if left.place else ""
    sessions = failure.sessions - failure.sessions // 2
    more = left.count - failure.left_by_half
    return (
        f"{whole(sessions)} more {'session' if sessions == 1 else 'sessions'} left "
        f"{whole(more)} more {noun if more == 1 else f'{noun}s'}{what}, {state}{where}"
    )


def replay_argument(case: Case) -> str:
    """Return what runs a case again in the test that found it."""
    return f'add replay="{case_text(case)}" to lab.explore(…) to run it again'


def replay_command(cell: Cell, scenario: str, case: Case) -> str:
    """Return the command that runs a case again."""
    loop = "" if cell.loop == NO_LOOP else f" --loop {cell.loop}"
    few = cell.concurrency < cell.session_count
    concurrency = f" --concurrency {cell.concurrency}" if few else ""
    return (
        f"warpbench explore {scenario} --target {cell.target} --strategy {cell.strategy}{loop} "
        f"--sessions {cell.session_count}{concurrency} --seed {cell.seed} "
        f"--replay {case_text(case)}"
    )
