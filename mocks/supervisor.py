"""Stands over a trial's process, and ends it with every process that it started, however it ends.

A trial runs code of anybody's: it crashes, hangs, starts servers of its own, signals its group. So
it is forked from a *supervisor*, a process that does nothing but wait. When the trial has ended, or
whoever wants it has gone, the supervisor kills what is left, and ends as the trial did.

- The trial has a session and a process group of its own: a signal to its group hits nobody else.
- The supervisor holds one end of a pipe, the *leash*. It is at its end when the process that
  started the trial lets go of it, by closing it or by any death.
- What the trial started becomes the supervisor's when its parent ends (Linux: a subreaper), so
  that nothing is out of its reach, whichever session it has made its own.
- A supervisor that is killed itself takes its trial with it (Linux: the parent-death signal).

The supervisor is a process, and no thread of the trial's: the clocks would have to be told of a
thread, and a thread ends with the process that it is to look after. Elsewhere than on Linux, what
has left the trial's group is not found.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

GRACE_S = 2.0
"""Real seconds that a process gets to end, once it should."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOOKS_EVERY_S = 0.001
_IS_LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Leash:
    """What ties a supervisor to the process that wants the trial.

    Attributes:
        file: Descriptor of a pipe, or a socket, at whose end the trial is killed.
        read_limit: Called when there is something to read: takes it, and returns for how many
            real seconds the trial may go on. It raises ``EOFError`` at the end.
    """

    file: int
    read_limit: Callable[[], float] | None = None


def fork_trial() -> int:
    """Fork a process for a trial: return 0 in it, and its identifier in the supervisor."""
    adopt_orphans()
    supervisor = os.getpid()
    trial = os.fork()
    if trial == 0:
        os.setsid()
        die_with_parent(supervisor)
    return trial


def stand_over(
    trial: int, leash: Leash, tell: Callable[[int], object] = lambda _status: None
) -> int:
    """Wait for the end of a trial, or of the leash, and kill what is left of it.

    SIGTERM ends the trial first, and then this process.

    Args:
        trial: Identifier of its process.
        leash: Of whoever wants it.
        tell: Told what this returns, or that SIGTERM ends this process, in the end.

    Returns:
        How the trial ended, as ``os.waitstatus_to_exitcode`` tells it.
    """
    terminated: list[int] = []
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGCHLD, lambda *_: None),
            (signal.SIGTERM, lambda number, _frame: terminated.append(number)),
        )
    }
    wakes_before = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        status = _end_of(trial, leash, woken, terminated)
        status = _kill_all_of(trial, status)
    finally:
        signal.set_wakeup_fd(wakes_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(woken)
        os.close(wakes)
    if status is None:
        status = -signal.SIGKILL
    tell(-signal.SIGTERM if terminated else status)
    if terminated:
        end_like(-signal.SIGTERM)
    return status


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Let this process get a signal when its parent ends; it ends if that has happened already.

    Args:
        parent: Identifier of the process that is the parent, unless it has ended.
        number: The signal.
    """
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Let what descends from this process be its child, once the parent of it has ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_like(status: int) -> NoReturn:
    """End this process with an exit status, or by the signal that a negative one stands for."""
    if status < 0:
        # The trial has left a core if one is wanted.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(-status, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [-status])
        os.kill(os.getpid(), -status)
    os._exit(status)


def end_descendants() -> None:
    """Kill what descends from this process, and wait until it has ended."""
    _kill_all_of(None, None)


def _end_of(trial: int, leash: Leash, woken: int, terminated: list[int]) -> int | None:
    """Wait until a trial has ended, and return how; ``None`` if it should be killed."""
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(leash.file, 0 if leash.read_limit is None else select.POLLIN)
    until_s: float | None = None
    while not terminated:
        status = _reap(trial)
        if status is not None:
            return status
        left_s = None if until_s is None else until_s - time.monotonic()
        if left_s is not None and left_s <= 0:
            return None
        happened = dict(poll.poll(None if left_s is None else left_s * 1_000))
        if woken in happened:
            os.read(woken, 1_000)
        if leash.file in happened:
            if leash.read_limit is None:
                return None
            try:
                # Whoever wants the trial stops it first, if they can.
                until_s = time.monotonic() + leash.read_limit() + GRACE_S
            except (EOFError, OSError):
                return None
    return None


def _reap(trial: int) -> int | None:
    """Let processes that have ended go; return how the trial ended, if it is among them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == trial:
                found = os.waitstatus_to_exitcode(status)
    return found


def _kill_all_of(trial: int | None, status: int | None) -> int | None:
    """Kill a trial, its group, and all that descends from this process; return its status."""
    until_s = time.monotonic() + GRACE_S
    while time.monotonic() < until_s:
        # The number of a group is not given to anybody else while it has members.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if trial is not None:
                os.killpg(trial, signal.SIGKILL)
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            pid, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            time.sleep(_LOOKS_EVERY_S)
        elif pid == trial:
            status = os.waitstatus_to_exitcode(ended)
    return status


def _children() -> list[int]:
    """Return the children of this process, those that it has adopted among them."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except OSError:  # not Linux, or one without this file
        return []


def _prctl(option: int, value: int) -> None:
    if _IS_LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
