"""Who takes part in a clock's time, and the places at which they wait.

What changes a participant here is called with the clock's mutex held (see ``skipping``).
"""

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from .real_locks import real_acquire, real_allocate_lock, real_release

if TYPE_CHECKING:
    from ..errors import ClockError


class Leave(Enum):
    """Why a participant left its parking."""

    RELEASED = auto()
    DEADLINE = auto()


class Parking:
    """A place at which one participant waits, and at which others can release it.

    A release that comes before the wait is kept, so that it is never lost.
    """

    __slots__ = ("awaits", "describe", "is_of_loop", "participant", "released")

    def __init__(
        self,
        participant: "Participant",
        describe: Callable[[], str],
        *,
        is_of_loop: bool = False,
        awaits: str | None = None,
    ) -> None:
        self.participant = participant
        self.describe = describe
        # An event loop with nothing to do waits here; at any other place it would be blocked.
        self.is_of_loop = is_of_loop
        # What code waits for here without a mock (see ``own_waits``); `None` for a mock's wait.
        self.awaits = awaits
        self.released = False


class Participant:
    """A thread whose waiting the clock sees."""

    __slots__ = (
        "deadline_ns",
        "ended",
        "error",
        "gate",
        "gate_open",
        "handshake",
        "joiners",
        "leave",
        "name",
        "native_id",
        "parking",
        "sequence",
        "skipped_when_timed_ns",
        "thread",
    )

    def __init__(self, thread: threading.Thread) -> None:
        self.thread = thread
        self.name = thread.name
        # What the system calls it, once it runs.
        self.native_id: int | None = None
        self.gate = real_allocate_lock()
        real_acquire(self.gate)
        self.gate_open = False
        self.parking: Parking | None = None
        self.deadline_ns: int | None = None
        self.sequence = -1
        self.leave = Leave.RELEASED
        self.error: ClockError | None = None
        self.ended = False
        self.joiners: list[Parking] = []
        self.skipped_when_timed_ns = 0
        # Released by a thread that this one starts, once that has been set up.
        self.handshake: threading.Lock | None = None

    def set_runnable(self, leave: Leave) -> None:
        """Leave the parking, for a reason."""
        self.parking = None
        self.deadline_ns = None
        self.sequence = -1
        self.leave = leave

    def open_gate(self) -> None:
        """Let it through, now or when it comes to its gate."""
        if not self.gate_open:
            self.gate_open = True
            real_release(self.gate)

    def shut_gate(self) -> None:
        """Shut the gate again, after it was let through or timed out."""
        # Only the participant itself does this.
        if self.gate_open:
            real_acquire(self.gate, False)
            self.gate_open = False

    def raise_error(self) -> None:
        """Raise the error that is kept for this participant, if there is one, once.

        Raises:
            ClockError: Time cannot be kept.
        """
        error, self.error = self.error, None
        if error is not None:
            raise error
