"""The errors of the lab: one small tree, rooted in ``WarpbenchError``.

    WarpbenchError
    ├── UsageError            an argument or file cannot be used: one line, exit status 2
    │   ├── ScenarioError     a scenario file: names file, key, what was expected
    │   ├── TargetError       a target cannot be loaded or lacks what it needs
    │   ├── RunFileError      a results file is missing, corrupt, or of another schema
    │   ├── TraceError         a trace is missing, unreadable, or holds no session
    │   └── BaselineError     a baseline is missing, corrupt, of another schema, or lacks a cell
    ├── ClockError            the clock could not keep correct time; the trial is void
    │   ├── ClockRefusedError  something is in use that the clock cannot see
    │   └── ClockHangError         deadlock: all wait, and no timer is pending
    ├── UnmockedRequestError  a request to an address that is not mocked
    │   ├── UnreachableHostError  by a socket: to its caller, a host that refuses connections
    │   └── UnresolvedHostError   by its name: to its caller, a name that nobody knows
    ├── ServiceError          a service under test refused a request, or broke off its answer
    └── TrialError            a trial crashed, hung or was killed
        └── IsolationError    a trial cannot have a network of its own

The agent has a root of its own (``agent.errors``), since it knows nothing of the lab.
"""

import errno
import socket
from enum import StrEnum
from typing import Self

from .printable import printable, printable_lines


class WarpbenchError(Exception):
    """Root of every error that the lab raises on purpose."""


class UsageError(WarpbenchError):
    """An argument or a file of the user cannot be used; the command line exits with status 2."""


class ScenarioError(UsageError):
    """A scenario is malformed; the message names the file, the key and what was expected."""


class TargetError(UsageError):
    """A target cannot be loaded, or lacks what a strategy needs."""


class RunFileError(UsageError):
    """A results file is missing, unreadable, or written by another schema version."""


class TraceError(UsageError):
    """A trace is missing, unreadable, of no known format, or holds no usable session."""


class BaselineError(UsageError):
    """A baseline is missing, unreadable, of another schema version, or cannot be made."""


class Hang(StrEnum):
    """How a trial cannot go on."""

    DEADLOCK = "deadlock"
    """Every thread waits, and no timer is pending."""

    LIVELOCK = "livelock"
    """Somebody runs on and on at one instant of virtual time."""

    STALL = "stall"
    """A thread blocks where the clock cannot see it, while others wait for their turn."""

    TIME_LIMIT = "time limit"
    """It took longer than it may."""


class ClockError(WarpbenchError):
    """The clock could not keep correct time; every number of the trial is void.

    Attributes:
        choices: What a schedule had chosen until then.
        steps: What the sessions had done until then, if the trial was to note that.
        cancelled: The sessions that had been cancelled until then.
    """

    choices: tuple[tuple[str, int, str], ...] = ()
    steps: tuple[object, ...] = ()
    cancelled: tuple[object, ...] = ()


class ClockRefusedError(ClockError):
    """Real I/O, or a thread started outside the lab, is in play, so the clock will not skip."""


class ClockHangError(ClockError):
    """The trial cannot go on.

    Attributes:
        hang: How.

    Args:
        message: Who waits where.
        hang: How.
    """

    def __init__(self, message: str, hang: Hang = Hang.DEADLOCK) -> None:
        super().__init__(message)
        self.hang = hang


class UnmockedRequestError(WarpbenchError):
    """A request to an address that is not mocked; it did not leave the machine."""


class UnreachableHostError(UnmockedRequestError, ConnectionRefusedError):
    """A connection to another machine, which was not made.

    To whoever asked for it, it is a host that cannot be reached: an agent takes the way that it
    takes without a network.

    Args:
        message: What was asked for, and why it was not done.
    """

    def __init__(self, message: str) -> None:
        super().__init__(errno.ECONNREFUSED, message)

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (str(self.strerror),)


class UnresolvedHostError(UnmockedRequestError, socket.gaierror):
    """The look-up of a name, which was not made; to whoever asked for it, nobody knows the name.

    Args:
        message: What was asked for, and why it was not done.
    """

    def __init__(self, message: str) -> None:
        super().__init__(socket.EAI_NONAME, message)

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (str(self.strerror),)


class ServiceError(WarpbenchError):
    """A service that is the target refused a request, raised, or broke off its answer."""


class TrialError(WarpbenchError):
    """A trial crashed, hung or was killed; the message says which.

    Attributes:
        hang: How it cannot go on; ``None`` if it ended otherwise.
        choices: What a schedule had chosen until then.
        steps: What the sessions had done until then, if the trial was to note that.
        cancelled: The sessions that had been cancelled until then.

    Args:
        message: What happened.
        hang: How it cannot go on.
        choices: What a schedule had chosen.
        steps: What the sessions had done.
        cancelled: The sessions that had been cancelled.
    """

    def __init__(
        self,
        message: str,
        hang: Hang | None = None,
        choices: tuple[tuple[str, int, str], ...] = (),
        steps: tuple[object, ...] = (),
        cancelled: tuple[object, ...] = (),
    ) -> None:
        super().__init__(message)
        self.hang = hang
        self.choices = choices
        self.steps = steps
        self.cancelled = cancelled


class IsolationError(TrialError):
    """A process cannot have a network of its own; the message says what to do.

    Attributes:
        reason: Why not.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"--network isolated: this system gives a trial no network of its own ({reason}); "
            "leave it out, or run where network namespaces can be made"
        )
        self.reason = reason


def text_of(error: BaseException) -> str:
    """Return the text of an error, printable; somebody's own may fail to give one."""
    try:
        text = str(error)
    except BaseException as failure:  # noqa: BLE001 - of anybody's code
        return f"(its text cannot be read: {name_of(failure)})"
    # Of a text of a class of somebody's own, what that overrides is not asked.
    return printable_lines(text if type(text) is str else str.__str__(text))


def name_of(error: BaseException) -> str:
    """Return the name of an error's class, printable, whatever the class makes of it."""
    return printable(str.__str__(type.__dict__["__name__"].__get__(type(error))))
