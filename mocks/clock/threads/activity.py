"""Asks Linux what threads of this process are doing: asleep, or merely kept from running.

How much CPU a thread got does not tell one from the other: on a busy machine a thread that computes
gets as little as one that waits. The kernel knows more (proc(5), sched-stats in its
documentation): the state of each thread, how long it ran, how long it was ready and had to wait
for a core, and how often it was switched. A thread *slept* if none of that moved.

It is asked in the midst of a trial whose calls may be counted, and busy machines ask more often. So
nothing here calls a Python function that is not the lab's own: files are read by ``os``, and values
are structs written in C. Otherwise counts would depend on the load.

Uninterruptible sleep (``D``: a page comes from a disk) and a stopped thread (``T``) end without
anybody's help in this process, and so are no sleep here.
"""

import os
from collections.abc import Iterable, Mapping
from enum import Enum, auto

import msgspec

_TASKS = "/proc/self/task"
_MOST_BYTES = 8192
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_ASLEEP = "S"
_NAPS = 0.9
_NANOSECONDS_PER_SECOND = 1_000_000_000
# Columns of `stat` after the name of the command, which may hold anything but its last ")".
_STATE, _USER_TICKS, _SYSTEM_TICKS = 0, 11, 12


class Did(Enum):
    """What a thread did over a span of time."""

    SLEPT = auto()
    """Nothing at all: it was asleep all the time, and nobody woke it."""

    NAPPED = auto()
    """Next to nothing: it woke now and then, and went to sleep again, as one who polls does."""

    RAN = auto()
    """It ran, or was ready to: it may have got no core."""

    UNKNOWN = auto()
    """The system does not tell."""


class ThreadActivity(msgspec.Struct, frozen=True):
    """What the kernel tells of one thread at one moment.

    Attributes:
        state: One letter, as in ``ps``: ``R``, ``S``, ``D``, ``T``, …
        cpu_ns: How long it has run.
        run_delay_ns: How long it has been ready to run and waited for a core; ``None`` where the
            kernel does not keep count.
        switches: How often it was switched away from, of its own will or not.
    """

    state: str
    cpu_ns: int
    run_delay_ns: int | None
    switches: int


def parse_activity(stat: str, schedstat: str | None, status: str) -> ThreadActivity:
    """Return what three files of ``/proc/PID/task/TID`` say.

    Args:
        stat: The content of ``stat``.
        schedstat: The content of ``schedstat``; ``None`` where the kernel has none.
        status: The content of ``status``.

    Raises:
        ValueError: They are not of the form that proc(5) describes.
    """
    columns = stat.rpartition(")")[2].split()
    counts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    try:
        switches = int(counts["voluntary_ctxt_switches"]) + int(
            counts["nonvoluntary_ctxt_switches"]
        )
        if schedstat is not None:
            cpu_ns, run_delay_ns, _ = map(int, schedstat.split())
            return ThreadActivity(columns[_STATE], cpu_ns, run_delay_ns, switches)
        ticks = int(columns[_USER_TICKS]) + int(columns[_SYSTEM_TICKS])
        cpu_ns = ticks * _NANOSECONDS_PER_SECOND // _TICKS_PER_S
        return ThreadActivity(columns[_STATE], cpu_ns, None, switches)
    except (IndexError, KeyError) as error:
        raise ValueError(f"not the statistics of a thread: {stat!r}") from error


def read_activities(native_ids: Iterable[int]) -> Mapping[int, ThreadActivity]:
    """Return what threads of this process are doing, by their native identifiers.

    One that has ended is left out; so is every one elsewhere than on Linux.
    """
    found = {}
    for native_id in native_ids:
        folder = f"{_TASKS}/{native_id}"
        try:
            stat, status = _read(f"{folder}/stat"), _read(f"{folder}/status")
            found[native_id] = parse_activity(stat, _read_if_there(f"{folder}/schedstat"), status)
        except (OSError, ValueError):
            continue
    return found


def run_delay_ns(native_id: int) -> int:
    """Return how long a thread of this process was ready to run and waited for a core.

    Nobody is to blame for that time but the machine. 0 where the system does not keep count.
    """
    try:
        _, delay_ns, _ = map(int, _read(f"{_TASKS}/{native_id}/schedstat").split())
    except (OSError, ValueError):
        return 0
    return delay_ns


def native_ids_alive() -> frozenset[int] | None:
    """Return the native identifiers of all threads of this process; ``None`` if not on Linux."""
    try:
        return frozenset(int(name) for name in os.listdir(_TASKS))  # noqa: PTH208 - see above
    except (OSError, ValueError):
        return None


def what_it_did(before: ThreadActivity, after: ThreadActivity, elapsed_ns: int) -> Did:
    """Return what a thread did between two moments.

    Args:
        before: What the kernel said at the first.
        after: What it said at the second.
        elapsed_ns: What lay between them, in nanoseconds of real time.
    """
    if not before.state == after.state == _ASLEEP:
        return Did.RAN
    if before == after:
        return Did.SLEPT
    if before.run_delay_ns is None or after.run_delay_ns is None:
        return Did.RAN  # whether it had to wait for a core is not known
    awake_ns = after.cpu_ns - before.cpu_ns + after.run_delay_ns - before.run_delay_ns
    return Did.NAPPED if awake_ns < (1 - _NAPS) * elapsed_ns else Did.RAN


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, _MOST_BYTES).decode(errors="replace")
    finally:
        os.close(descriptor)


def _read_if_there(path: str) -> str | None:
    try:
        return _read(path)
    except FileNotFoundError:
        return None
