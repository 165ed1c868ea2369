"""What a clock says when it cannot keep time: the sentences of its errors."""

from collections.abc import Collection, Iterable

from .participants import Participant
from .protocol import ClockMode

MOCKED_LATENCY = "waits for a mocked latency"

_THREADS_NAMED = 5

FROZEN_LOOP = (
    "an event loop waits for a timer, and freezegun has frozen time.monotonic. In real time "
    "asyncio keeps time by it, and hangs: pass real_asyncio=True to freeze_time, or use "
    "time_machine.travel"
)

TICKING_FREEZEGUN = (
    "freezegun is active around the trial, and ticks in real time. Freeze without tick=True, or "
    "use time_machine.travel, which ticks with the clock"
)


def refused(mode: ClockMode, what: str) -> str:
    """Say that a clock does not skip time, because of ``what``."""
    return (
        f"the {mode} clock refuses to skip time: {what}. "
        "What it cannot see it would race. Run with --clock wall."
    )


def unknown_thread(name: str, did: str) -> str:
    """Say what a thread did that the clock does not know, or that there is one."""
    return (
        f"thread {name!r}, started outside the lab, {did} "
        "(only threads that were started with threading.Thread inside the trial are managed)"
    )


def unknown_waiter(name: str) -> str:
    """Say that a thread that the clock does not know waited for its time."""
    return (
        f"thread {name!r} waited for mocked time, but was not "
        "started with threading.Thread inside the scope of the clock"
    )


def waiting_handler(name: str) -> str:
    """Say that a signal handler waited in the midst of its thread's own wait."""
    return f"a signal handler of thread {name!r} waited while that thread did"


def waits_for_end(name: str) -> str:
    """Say that somebody waits for a thread to end."""
    return f"waits for thread {name!r} to end"


def deadlock(participants: Iterable[Participant], ignored: Collection[str]) -> str:
    """Say what each thread waits for: nobody runs, and no timer is pending.

    Args:
        participants: The threads that wait.
        ignored: The names of threads from before, which nobody waits for.
    """
    waiting = "; ".join(
        f"{participant.name}: {participant.parking.describe()}"
        for participant in participants
        if participant.parking is not None
    )
    found = (
        f"deadlock: every thread waits and no timer is pending: {waiting or 'no thread is left'}"
    )
    if not ignored:
        return found
    named = ", ".join(repr(name) for name in sorted(ignored)[:_THREADS_NAMED])
    more = "" if len(ignored) <= _THREADS_NAMED else f" and {len(ignored) - _THREADS_NAMED} more"
    return (
        f"{found}. Threads from before the trial are ignored ({named}{more}): if one of them is "
        "to do the work, start it in the trial, or run with --clock wall"
    )


def stall(name: str, place: str, *, others_wait: bool) -> str:
    """Say where the one thread that may run blocks out of the clock's sight."""
    others = "while others wait for their turn" if others_wait else "and nothing else runs"
    return (
        f"thread {name!r} blocks where the clock cannot see it, in {place}, {others}. "
        "If it waits for a plain threading.Lock, the owner of that lock waits on "
        "the clock: use warp. If it waits for real I/O: run with --clock wall."
    )


def foreign_loop(package: str, place: str) -> str:
    """Say that a thread runs an event loop that no clock keeps time for."""
    return (
        f"{package}'s event loop runs in {place}, and it waits in real time: of event loops, "
        "asyncio's and uvloop's take part. Use one of these, or run with --clock wall."
    )


def endless_spinning(turns: int, name: str, what: str) -> str:
    """Say that nobody waits, so that time never passes."""
    return (
        f"{turns} turns without waiting at one instant of virtual time; the last "
        f"one in {name}: {what}. Computing takes no virtual time, so who "
        "polls until time has passed never ends: wait for an event, or use warp."
    )
