"""The part that ``warp`` and ``virtual`` share: who runs, who waits, and until when.

Theory of operation
-------------------
A *participant* is a thread whose waiting the clock sees: the root (the thread that opened
the clock's scope) and each thread started inside it. A participant is either running or
parked. It parks at a ``Parking``, perhaps with a deadline, when it

- waits for a mocked latency (``wait_until_ns``),
- runs an event loop with nothing to do (``loops``), or
- blocks on a condition of ``threading``: events, semaphores, queues, futures
  (``threads.conditions``).

Time may be skipped only when *no participant runs*: then nothing but a deadline can make
anything happen. Everything that blocks where the clock cannot see it (a socket, a
subprocess, a bare lock) leaves its participant running, and so holds time back: the clock
errs towards real time, never towards a skip.

Invariants
----------
1. Whoever makes a participant runnable marks it running *before* it parks itself or ends.
   So there is no moment at which work is pending and nobody counts as running.
2. A parked participant leaves its parking with a reason: released, deadline, or error.
3. The mutex guards all state below; it is never held while waiting for a gate. A finaliser
   or a signal handler that interrupts a section of its own thread waits for its end.
4. Of the parked participants with a deadline, the earliest always knows when that is in
   real time (``warp`` needs it: the others' timeouts grow stale with each skip).
5. A participant whose scope has closed, or whose thread has run its course, has *ended*:
   it is no longer counted, and nobody waits for it.

Where the abstraction lies
--------------------------
A participant that waits for a bare ``threading.Lock`` whose holder waits on the clock
counts as running in ``warp``, where that wait takes real time (slow, not wrong); in ``virtual``
it parks (``threads.bare_locks``).

A signal handler may wake participants, but must not itself wait on the clock while its
thread is parked: that is refused. Ctrl-C that strikes within the few microseconds of a
section may leave a participant counted as running, which holds time back; a second Ctrl-C
ends the process.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TypeGuard

from ..errors import ClockError, ClockHangError, ClockRefusedError, Hang
from . import failure_text as text
from .deadlines import Deadlines
from .loops.timers import WaitsByLoop
from .own_waits import JOIN, LOCK, SLEEP, WaitObserver
from .participants import Leave, Parking, Participant
from .protocol import Clock, ClockMode, LoopObserver
from .schedule import Choice, Choices
from .threads.collecting import Collecting
from .threads.frames import frames_by_thread
from .threads.known import KnownThreads
from .threads.lifetime import ident_of
from .threads.mutex import Mutex


class SkippingClock(ABC):
    """A clock that moves to the earliest deadline when no participant runs.

    Subclasses say what happens when a participant parks, becomes runnable, or ends.
    """

    mode: ClockMode
    choices: Choices | None = None
    """Chooses who goes on of those that could; ``None``: who could first."""

    def __init__(self) -> None:
        self.mutex = Mutex()
        self.root: Participant | None = None
        self.failure: ClockError | None = None
        self._here = threading.local()
        self._by_thread: dict[threading.Thread, Participant] = {}
        self._threads = KnownThreads()
        self.collecting = Collecting()
        """Where the garbage collector runs: what its finalisers wake is nobody's influence."""
        self._deadlines = Deadlines()
        self.is_open = False
        """Whether a scope is open in which it keeps the time."""
        self._async_waits = WaitsByLoop(self.now_ns)
        self.before_blocked_loop: Callable[[], None] | None = None
        """Called in the thread of an event loop that is about to be blocked."""
        self.on_blocked_loop: Callable[[int, int], None] | None = None
        """Called in the thread of an event loop that was blocked, with begin and end."""
        self.loop_observer: LoopObserver | None = None
        """Told when event loops run and when they have nothing to run."""
        self.wait_observer: WaitObserver | None = None
        """Told of waits that no mock begins."""
        self.beside_refusals: Callable[[], str] | None = None
        """Returns what to say after a refusal to skip, from outside of the clock; may be empty."""
        self.creation_numbers = count()
        """Numbers what is created on this clock's time, in that order (see ``loops.ordering``)."""
        self.seed_numbers = count()
        """Numbers the generators that are made on this clock's time without a seed, likewise."""

    # ---- the clock's face -------------------------------------------------------------

    @abstractmethod
    def now_ns(self) -> int:
        """Return the time in nanoseconds."""

    @abstractmethod
    def idle_ns(self) -> int:
        """Return how much of the time until now nobody computed."""

    @abstractmethod
    def burn_ns(self, duration_ns: int) -> None:
        """Compute for ``duration_ns``."""

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait in a coroutine until ``deadline_ns``; see ``Clock``."""
        await self._async_waits.until_ns(deadline_ns)

    def wait_until_ns(self, deadline_ns: int) -> None:
        """Block the calling thread until ``deadline_ns``; see ``Clock``."""
        self.park(Parking(self.participant_here(), _describe_wait), deadline_ns)

    def sleep_here(self, deadline_ns: int) -> None:
        """Block the calling thread until ``deadline_ns``, for code that sleeps by itself."""
        parking = Parking(self.participant_here(), _describe_wait, awaits=SLEEP)
        self.park(parking, deadline_ns)

    # ---- participants ---------------------------------------------------------------------

    def current(self) -> Participant | None:
        """Return the calling thread as a participant; ``None`` for any other thread."""
        participant: Participant | None = getattr(self._here, "participant", None)
        if participant is None or participant.ended:
            return None
        return participant

    def participant_here(self) -> Participant:
        """Return the calling thread as a participant.

        Raises:
            ClockRefusedError: The clock does not know this thread.
        """
        participant = self.current()
        if participant is None:
            raise self.refuse(text.unknown_waiter(threading.current_thread().name))
        return participant

    def participant_of(self, thread: threading.Thread) -> Participant | None:
        """Return the live participant that is ``thread``, if it is one."""
        return self._by_thread.get(thread)

    def participant_with_ident(self, ident: int) -> Participant | None:
        """Return the live participant that the interpreter calls ``ident``."""
        for thread, participant in list(self._by_thread.items()):
            if ident_of(thread) == ident:
                return participant
        return None

    def admit(self, thread: threading.Thread) -> Participant:
        """Make a thread that is about to start a participant, running from now on."""
        participant = Participant(thread)
        with self.mutex.section:
            self._by_thread[thread] = participant
            self._on_admitted(participant)
        self.mutex.catch_up()
        return participant

    def begin(self, participant: Participant) -> None:
        """Bind the calling thread, just started, to its participant."""
        self._here.participant = participant
        participant.native_id = threading.get_native_id()
        self._on_begun(participant)

    def end(self, participant: Participant) -> None:
        """The calling thread has nothing left to do; whoever joins it goes on."""
        with self.mutex.section:
            for parking in participant.joiners:
                self._release(parking)
            participant.ended = True
            if self._by_thread.pop(participant.thread, None) is not None:
                self._threads.note_end_here(participant.thread)
                self._on_ended(participant)
        self.mutex.catch_up()

    def dismiss(self, participant: Participant) -> None:
        """The thread of a participant just admitted could not be started."""
        with self.mutex.section:
            participant.ended = True
            if self._by_thread.pop(participant.thread, None) is not None:
                self._on_dismissed(participant)

    def await_end(self, participant: Participant, timeout_ns: int | None) -> bool:
        """Park until another participant has ended; ``False`` if the time ran out first."""
        waiting = self.current()
        if waiting is None:
            return True
        describe = partial(text.waits_for_end, participant.name)
        parking = Parking(waiting, describe, awaits=JOIN)
        with self.mutex.section:
            if participant.ended:
                return True
            participant.joiners.append(parking)
        deadline_ns = None if timeout_ns is None else self.now_ns() + timeout_ns
        if self.park(parking, deadline_ns) is Leave.RELEASED:
            return True
        with self.mutex.section:
            if parking in participant.joiners:
                participant.joiners.remove(parking)
        return participant.ended

    def tolerate(self, thread: threading.Thread, *, looks_at_frames: bool = False) -> None:
        """Declare a live thread an ignored one: it never wakes anybody, so time may skip."""
        self._threads.ignore(thread)
        if looks_at_frames and thread.ident is not None:
            self.collecting.add_looker(thread.ident)

    def tolerate_those_alive(self) -> None:
        """Declare all other threads of the moment ignored ones: those of a test runner, say.

        Also those that ``threading`` knows nothing of.
        """
        self.tolerate_idents(set(frames_by_thread()) - {threading.get_ident()})

    def tolerate_idents(self, idents: Iterable[int]) -> None:
        """Declare threads ignored ones by their identifiers."""
        self._threads.ignore_idents(idents)

    def tolerate_below_threading(self, ident: int, native_id: int) -> None:
        """Declare a live thread that ``threading`` knows nothing of an ignored one."""
        self._threads.ignore_below_threading(ident, native_id)

    # ---- parking ----------------------------------------------------------------------

    def park(self, parking: Parking, deadline_ns: int | None) -> Leave:
        """Wait at ``parking`` until released or until ``deadline_ns``.

        Raises:
            ClockError: Time cannot be kept; raised in the root only.
        """
        wait = None
        if parking.awaits is not None and self.wait_observer is not None:
            wait = self.wait_observer.thread_parks(parking.awaits, deadline_ns)
        blocks_loop = self._blocks_loop(parking)
        begin_ns = self.now_ns() if blocks_loop else 0
        if blocks_loop and self.before_blocked_loop is not None:
            self.before_blocked_loop()
        try:
            return self._park(parking, deadline_ns)
        finally:
            self.mutex.catch_up()
            if blocks_loop:
                self._tell_of_blocked_loop(begin_ns)
            if wait is not None and self.wait_observer is not None:
                self.wait_observer.thread_goes_on(wait)

    def _blocks_loop(self, parking: Parking) -> bool:
        return (
            self.on_blocked_loop is not None
            and not parking.is_of_loop
            and asyncio._get_running_loop() is not None
        )

    def _tell_of_blocked_loop(self, begin_ns: int) -> None:
        end_ns = self.now_ns()
        if self.on_blocked_loop is not None and end_ns > begin_ns:
            self.on_blocked_loop(begin_ns, end_ns)

    def release(self, parking: Parking) -> None:
        """Let the participant that waits, or is about to wait, at ``parking`` go on.

        May be called anywhere, also from a finaliser or a signal handler.
        """
        known = self._is_known_here()

        def release() -> None:
            if self.is_open and not known and not self.collecting.is_here():
                self._fail(self._unknown(threading.current_thread().name, "woke a managed thread"))
            self._release(parking)

        self.mutex.run(release)

    def take_release(self, parking: Parking) -> bool:
        """Say whether ``parking`` was released since it was last waited at; do not wait."""
        with self.mutex.section:
            released, parking.released = parking.released, False
        self.mutex.catch_up()
        return released

    def spin(self, participant: Participant, describe: Callable[[], str]) -> None:
        """An event loop went round without waiting, as it does when it is busy or polls.

        Args:
            participant: The calling thread.
            describe: Says what the loop is busy with.

        Raises:
            ClockError: Time cannot be kept; raised in the root only.
        """
        del describe
        if participant.error is not None:
            participant.raise_error()

    def poll(self, parking: Parking) -> None:
        """The calling thread has asked whether ``parking`` was released, and did not wait."""
        del parking

    def refuse(self, what: str) -> ClockRefusedError:
        """Return the refusal to skip because of ``what``, which voids the trial."""
        refusal = self._refusal(what)
        self._fail_here(refusal)
        return refusal

    def hang(self, what: str, how: Hang = Hang.DEADLOCK) -> ClockHangError:
        """Return the error that in real time this would be a hang: ``what``, which voids the trial.

        The caller raises it.
        """
        error = ClockHangError(what, how)
        self._fail_here(error)
        return error

    def _fail_here(self, error: ClockError) -> None:
        here = self.current()

        def fail() -> None:
            self._fail(error)
            if here is not None and here is self.root:
                here.error = None  # the caller raises it

        self.mutex.run(fail)

    # ---- what subclasses fill in ------------------------------------------------------

    @abstractmethod
    def _park(self, parking: Parking, deadline_ns: int | None) -> Leave: ...

    @abstractmethod
    def _somebody_runs(self) -> bool: ...

    @abstractmethod
    def _on_opened(self, root: Participant) -> None: ...

    @abstractmethod
    def _on_admitted(self, participant: Participant) -> None: ...

    @abstractmethod
    def _on_dismissed(self, participant: Participant) -> None: ...

    @abstractmethod
    def _on_begun(self, participant: Participant) -> None: ...

    @abstractmethod
    def _on_ended(self, participant: Participant) -> None: ...

    @abstractmethod
    def _make_runnable(self, participant: Participant, leave: Leave) -> None: ...

    # ---- shared pieces; the mutex is held -----------------------------------------------

    def _leave_at_once(self, parking: Parking, deadline_ns: int | None) -> Leave | None:
        """Return why ``parking`` need not be waited at, if so."""
        participant = parking.participant
        participant.raise_error()
        if participant.parking is not None:
            raise self.refuse(text.waiting_handler(participant.name))
        if parking.released:
            parking.released = False
            return Leave.RELEASED
        if participant.ended and deadline_ns is not None:
            return Leave.DEADLINE  # left over from a scope that has closed: no clock
        return None

    def _release(self, parking: Parking) -> None:
        participant = parking.participant
        if participant.parking is not parking:
            parking.released = True
        elif participant.ended:
            participant.set_runnable(Leave.RELEASED)
            participant.open_gate()
        else:
            self._make_runnable(participant, Leave.RELEASED)

    def _next_deadline_ns(self) -> int | None:
        """Return the deadline to which time may skip; ``None`` if there is no skipping.

        The checks that make a skip safe stand here, and nowhere else.
        """
        if self.failure is None:
            unknown = self._threads.find_unknown(self._by_thread)
            if unknown is not None:
                self._fail(self._unknown(unknown, "is alive"))
                return None
        # A finaliser may have woken somebody since: then this was not the end of all running.
        self.mutex.settle()
        if self._somebody_runs():
            return None
        earliest = self._deadlines.earliest()
        if earliest is None:
            ignored = self._threads.ignored_names()
            self._fail(ClockHangError(text.deadlock(self._by_thread.values(), ignored)))
            return None
        return earliest.deadline_ns

    def _fail(self, error: ClockError) -> None:
        root = self.root
        if root is None or root.ended:
            return
        if self.failure is None:
            self.failure = error
        elif error is not self.failure:
            error.__cause__ = self.failure
        root.error = error
        if root.parking is not None:
            self._make_runnable(root, Leave.RELEASED)

    def _is_known_here(self) -> bool:
        participant: Participant | None = getattr(self._here, "participant", None)
        if participant is not None and not participant.ended:
            return True
        return self._threads.is_ending_here()

    def _unknown(self, name: str, did: str) -> ClockRefusedError:
        return self._refusal(text.unknown_thread(name, did))

    def _refusal(self, what: str) -> ClockRefusedError:
        beside = "" if self.beside_refusals is None else self.beside_refusals()
        return ClockRefusedError(f"{text.refused(self.mode, what)} {beside}".rstrip())

    # ---- scope --------------------------------------------------------------------------

    @contextmanager
    def rooted(self) -> Iterator[None]:
        """Make the calling thread the root for the length of the scope.

        Raises:
            ClockError: Time could not be kept, and the code in the scope ignored it.
        """
        thread = threading.current_thread()
        self.root = Participant(thread)
        self.failure = None
        self._threads.begin()
        self._by_thread[thread] = self.root
        self.root.native_id = threading.get_native_id()
        self._here.participant = self.root
        self.is_open = True
        self._on_opened(self.root)
        try:
            yield
        finally:
            with self.mutex.section:
                self.is_open = False
                self._let_go()
            self.mutex.catch_up()
        if self.failure is not None:
            raise self.failure

    def _let_go(self) -> None:
        # Left-overs go on without a clock: sleepers at once, the others when somebody
        # releases them.
        for participant in list(self._by_thread.values()):
            participant.ended = True
            self._end_deadlock_of(participant)
            if participant.parking is None or participant.deadline_ns is not None:
                participant.set_runnable(Leave.DEADLINE)
                participant.open_gate()
        self._by_thread.clear()
        self._threads.forget_ended()
        self._deadlines.clear()

    def _end_deadlock_of(self, participant: Participant) -> None:
        """Where all wait for each other, raise that in who waits for a lock, or runs a loop.

        Nobody would ever release it, and it would keep the process from ending.
        """
        hang, parking = self.failure, participant.parking
        if not isinstance(hang, ClockHangError) or parking is None or participant is self.root:
            return
        if hang.hang is not Hang.DEADLOCK:  # who holds the lock may give it back yet
            return
        if parking.is_of_loop or parking.awaits == LOCK:
            participant.error = ClockHangError(str(hang), hang.hang)
            participant.set_runnable(Leave.RELEASED)
            participant.open_gate()


def choices_of(clock: Clock) -> tuple[Choice, ...]:
    """Return who went on before those that could have gone on first, if a schedule chose."""
    if not is_skipping(clock) or clock.choices is None:
        return ()
    return tuple(clock.choices.taken)


def is_skipping(clock: Clock) -> TypeGuard[SkippingClock]:
    """Say whether a clock is one that skips, by its mode."""
    return clock.mode.skips


def _describe_wait() -> str:
    return text.MOCKED_LATENCY
