"""The virtual clock: only waiting takes time, and one participant runs at a time.

``now`` starts at 0 and moves from deadline to deadline; computing is free. What is left is
the structure of a program: who waits for whom. It is the same in every repeat and on every
machine, which takes a fixed order among the participants: a *baton* goes from one to the
next, and whoever parks passes it on. Runnable participants get it in the order in which
they became runnable; those woken by deadlines in the order (deadline, sequence number).

A CPU-bound tool is the exception: it moves the clock by its drawn duration and keeps the
baton, holding everybody else back, as the GIL would.

Invariants
----------
1. While the scope is open exactly one participant holds the baton, and only it runs the
   program's code. A thread that has just been started waits for it before its first line;
   one that was interrupted (Ctrl-C) gets the baton before it raises.
2. Time moves only while the baton is passed on and nobody is runnable, or in ``burn_ns``.

Spinning
--------
An event loop that goes round without waiting (``while not done: await asyncio.sleep(0)``),
or a thread that sleeps for nothing, never gives the baton up by itself. After
``SPINS_A_TURN`` such turns it lets the runnable others run. It does not let time pass: to
the clock, polling and computing look alike, and computing is free. A loop that waits for
*time* in this manner would go on for ever, and so ``SPINS_THAT_HANG`` turns at one instant
are a hang.

A thread that waits until a time, and finds when it is reached that it has not passed
(``as_completed`` does: ``if left < 0``), waits for nothing, again and again. Computing would let
the time pass in real life; here a nanosecond does after ``POLLS_A_TURN`` such waits.

Stalls
------
If the holder of the baton blocks where the clock cannot see it (a bare lock whose holder is
parked, a read from a pipe), nothing can go on. The root finds out while it waits for the
baton: after ``STALL_AFTER_S`` real seconds in which nobody passed it on it asks the system what
the holder does. That blocks if it was asleep at each of ``STALL_LOOKS`` looks in a row and nothing
moved between them: neither its CPU time, nor its wait for a core, nor its switches (see
``threads.activity``); and no thread ran that might wake it. How much CPU it got proves nothing: on
a busy machine who computes gets none. One who wakes again and again without doing anything, as
polling does, is given ``NAP_LOOKS`` looks. Where the system does not tell, ``UNKNOWN_LOOKS``
without a hand-over are a stall.

Participants that wait for their turn can wake nobody; ignored threads never do, by declaration.
So both are left out where it is asked who else ran, or a watchdog that looks around twice a
second would keep every hang from being reported. A thread that has only just been started does
count until it waits for its turn: its starter waits for it, however long it gets no core.

If the root itself is the one that blocks, no error can be raised there. It is
noted as the clock's ``failure`` by the participant that passed it the baton, and raised
should the root ever come back. In a process that exists for one trial ``root_watch`` sees to
that; elsewhere nothing is left but the time limit of whoever started it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import TypeGuard

import msgspec

from ..errors import ClockHangError, Hang
from . import failure_text as text
from .participants import Leave, Parking, Participant
from .protocol import ClockMode
from .real_locks import real_acquire, real_allocate_lock, real_release
from .real_time import real_monotonic_ns, real_sleep
from .schedule import Choices, Schedule
from .skipping import SkippingClock
from .threads import stacks
from .threads.activity import (
    Did,
    ThreadActivity,
    native_ids_alive,
    read_activities,
    what_it_did,
)
from .threads.foreign_loops import foreign_loop_of

STALL_AFTER_S = 4.0
"""Real seconds without a hand-over after which it is asked what the holder does."""

STALL_LOOKS = 5
"""How often in a row a stall must be seen: a process that was suspended is not stalled."""

STALL_LOOK_S = 0.2
"""Real seconds between two looks."""

NAP_LOOKS = 150
"""How often in a row it must be seen of one who wakes now and then."""

UNKNOWN_LOOKS = 1500
"""How many looks are a stall of one of whom nothing is known: five minutes."""

SPINS_A_TURN = 100
"""Turns of a loop at one instant after which the other runnable participants run."""

POLLS_A_TURN = 1_000
"""Waits without patience at one instant after which a nanosecond passes."""

SPINS_THAT_HANG = 1_000_000
"""Turns of all loops at one instant that count as a hang: some ten seconds of computing."""

SPINS_THAT_HANG_IN_A_SCHEDULE = 100_000
"""The same where orders of events are explored: a second."""


class _Look(msgspec.Struct, frozen=True):
    """What was seen at one look for a stall.

    Attributes:
        at_ns: When, in real nanoseconds.
        holder_id: Native identifier of the holder of the baton.
        threads: What it does, and those that might wake it; empty where the system does not tell.
    """

    at_ns: int
    holder_id: int | None
    threads: Mapping[int, ThreadActivity]

    def did_since(self, before: "_Look") -> Did:
        """Return what the holder did since an earlier look; it ran if any other did."""
        elapsed_ns = self.at_ns - before.at_ns
        if self.holder_id not in self.threads or self.holder_id not in before.threads:
            return Did.UNKNOWN
        for native_id, activity in self.threads.items():
            earlier = before.threads.get(native_id)
            # One that has only just come has run.
            did = Did.RAN if earlier is None else what_it_did(earlier, activity, elapsed_ns)
            if native_id == self.holder_id:
                own = did
            elif did is not Did.SLEPT:
                return Did.RAN
        return own


class VirtualClock(SkippingClock):
    """Skips waiting and takes computing as free; see ``Clock``.

    Args:
        schedule: Chooses who goes on of several that could; ``None``: who could first.
    """

    mode = ClockMode.VIRTUAL

    def __init__(self, schedule: Schedule | None = None) -> None:
        self._begin(schedule)
        # Who took each plain lock last (``threads.bare_locks``).
        self.lock_takings: dict[object, list[int]] = {}

    def begin_anew(self, schedule: Schedule | None = None) -> None:
        """Be at the beginning again, as another clock would be, for those who have this one.

        What was made on its time stays numbered, and the locks that were taken stay taken. No scope
        of it may be open.

        Args:
            schedule: As for a new one.
        """
        creation_numbers, seed_numbers = self.creation_numbers, self.seed_numbers
        self._begin(schedule)
        self.creation_numbers, self.seed_numbers = creation_numbers, seed_numbers

    def _begin(self, schedule: Schedule | None) -> None:
        super().__init__()
        self.choices = None
        if schedule is not None:
            self.choices = Choices(schedule)
        self._last_holder = ""
        self._now_ns = 0
        self._burnt_ns = 0
        self._ready: deque[Participant] = deque()
        self._holder: Participant | None = None
        self._hand_overs = 0
        self._is_root_held_back = False
        self._spins = 0
        self._polls = 0
        self._turns_polled = 0
        self._hand_overs_polled = 0
        # Who waits for something that nobody tells of, and what says whether it has come.
        self._looked_for: dict[Parking, Callable[[], bool]] = {}
        # Native identifiers of the participants that wait for their turn.
        self._at_gate: set[int] = set()
        # Held by the one participant that looks whether the holder stalls.
        self._looking = real_allocate_lock()

    def now_ns(self) -> int:
        """Return the virtual time in nanoseconds since the clock was made."""
        return self._now_ns

    def idle_ns(self) -> int:
        """Return the virtual time less what was computed, in nanoseconds."""
        return self._now_ns - self._burnt_ns

    def burn_ns(self, duration_ns: int) -> None:
        """Move the clock by ``duration_ns`` while holding everybody else back."""
        self.participant_here()
        begin_ns = self._now_ns
        with self.mutex.section:
            self._advance_to(self._now_ns + duration_ns)
            self._burnt_ns += duration_ns
        self.mutex.catch_up()
        if asyncio._get_running_loop() is not None:
            self._tell_of_blocked_loop(begin_ns)

    def _park(self, parking: Parking, deadline_ns: int | None) -> Leave:
        # With a deadline that has passed already, the others that are runnable run first.
        participant = parking.participant
        try:
            with self.mutex.section:
                leave = self._leave_at_once(parking, deadline_ns)
                if leave is not None:
                    return leave
                if deadline_ns is not None and deadline_ns <= self._now_ns:
                    self._count_spin(participant, parking.describe)
                self._deadlines.park(participant, parking, deadline_ns)
                if self._holder is participant:
                    self._pass_baton()
        except BaseException:
            if participant.parking is parking:  # Ctrl-C in the midst of it
                self._come_back(participant)
            raise
        self._await_baton(participant)
        with self.mutex.section:
            participant.raise_error()
        return participant.leave

    def spin(self, participant: Participant, describe: Callable[[], str]) -> None:
        """An event loop went round without waiting; let the others run now and then."""
        super().spin(participant, describe)
        with self.mutex.section:
            self._count_spin(participant, describe)
            others_wait = bool(self._ready)
        self.mutex.catch_up()
        if others_wait and self._spins % SPINS_A_TURN == 0:
            self.park(Parking(participant, describe, is_of_loop=True), self._now_ns)

    def poll(self, parking: Parking) -> None:
        """Let a nanosecond pass if a thread waits again and again until a time that is reached."""
        self._polls += 1
        if self._polls % POLLS_A_TURN or not self.may_park(parking.participant):
            return
        is_alone = self._hand_overs == self._hand_overs_polled + 1
        self._turns_polled = self._turns_polled + 1 if is_alone else 0
        self._hand_overs_polled = self._hand_overs
        if self._turns_polled * POLLS_A_TURN >= self._spins_that_hang:
            turns, self._turns_polled = self._turns_polled * POLLS_A_TURN, 0
            what = parking.describe()
            name = parking.participant.name
            raise self.hang(text.endless_spinning(turns, name, what), Hang.LIVELOCK)
        self.park(Parking(parking.participant, parking.describe), self._now_ns + 1)

    # ---- what nobody tells of (``threads.bare_locks``) ---------------------------------------

    def may_park(self, participant: Participant) -> bool:
        """Say whether a participant may park here: not in the midst of a wait, or of a section."""
        return participant.parking is None and not self.mutex.is_inside()

    def may_others_go_on(self) -> bool:
        """Say whether anybody but the calling participant runs next, or when a time has come."""
        with self.mutex.section:
            return bool(self._ready) or self._deadlines.earliest() is not None

    def look_for(self, parking: Parking, has_come: Callable[[], bool]) -> None:
        """Release ``parking`` whenever something has come of which nobody tells.

        That is looked at when the baton is passed on: only who has it can bring it about.
        """
        with self.mutex.section:
            self._looked_for[parking] = has_come

    def look_no_more(self, parking: Parking) -> None:
        """Do not look for that any longer."""
        with self.mutex.section:
            self._looked_for.pop(parking, None)

    # ---- who looks after the root (``root_watch``) -----------------------------------------

    @property
    def hand_overs(self) -> int:
        """How often the baton was passed on."""
        return self._hand_overs

    @property
    def patience_s(self) -> float:
        """Real seconds without a hand-over after which the root is to be looked after."""
        return STALL_AFTER_S

    @contextmanager
    def root_held_back(self) -> Iterator[None]:
        """Let the root wait in this scope for what no time is kept of, for however long.

        It must hold the baton.
        """
        # In this order, and in the other one behind: who is looking at the root meanwhile sees
        # the one or the other.
        self._is_root_held_back = True
        self._hand_overs += 1
        try:
            yield
        finally:
            self._hand_overs += 1
            self._is_root_held_back = False

    def is_root_stalled(self, hand_overs: int) -> bool:
        """Say whether the root blocks out of sight, and note it as the clock's failure.

        Args:
            hand_overs: How often the baton had been passed on some time ago.
        """
        if self._holder is not self.root or self.root is None or self._hand_overs != hand_overs:
            return False
        if self.failure is None and self._is_stalled():
            self._fail_stalled(hand_overs)
        return self.failure is not None and self._hand_overs == hand_overs

    # ---- waiting for the baton ----------------------------------------------------------

    def _await_baton(self, participant: Participant) -> None:
        interruption: BaseException | None = None
        while True:
            try:
                self._wait_at_gate(participant)
                break
            except BaseException as error:
                if interruption is not None:
                    raise  # a second Ctrl-C: the holder does not give the baton up
                interruption = error
                with self.mutex.section:
                    if participant.parking is not None:
                        self._release(participant.parking)
        if interruption is not None:
            raise interruption

    def _come_back(self, participant: Participant) -> None:
        with self.mutex.section:
            if participant.parking is not None:
                self._release(participant.parking)
            if self._holder is participant or self._holder is None:
                self._pass_baton()
            else:
                self._holder.open_gate()  # its hand-over may have been cut short
        self._await_baton(participant)

    def _wait_at_gate(self, participant: Participant) -> None:
        native_id = threading.get_native_id()
        self._at_gate.add(native_id)
        try:
            self._watch_at_gate(participant)
        finally:
            self._at_gate.discard(native_id)

    def _watch_at_gate(self, participant: Participant) -> None:
        seen = self._hand_overs
        while not self._may_run(participant):
            watches = participant is self.root or self._holder is self.root
            # Once time cannot be kept, all that is left is to end soon.
            patience_s = STALL_AFTER_S if self.failure is None else STALL_LOOK_S
            if real_acquire(participant.gate, True, patience_s if watches else -1):
                continue
            if self._hand_overs == seen and self._is_stalled():
                self._fail_stalled(seen)
            seen = self._hand_overs

    def _may_run(self, participant: Participant) -> bool:
        with self.mutex.section:
            participant.shut_gate()
        self.mutex.catch_up()
        if participant.ended:
            return participant.parking is None
        return self._holder is participant

    def _is_stalled(self) -> bool:
        # One looks at a time: many would take the very cores that the holder may be waiting for.
        if not real_acquire(self._looking, False):
            return False
        try:
            return self._is_seen_stalled()
        finally:
            real_release(self._looking)

    def _is_seen_stalled(self) -> bool:
        seen, holder = self._hand_overs, self._holder
        if holder is None or self._is_root_held_back:
            return False
        needed = STALL_LOOKS
        before = self._look(holder)
        for look in count(1):
            real_sleep(STALL_LOOK_S)
            after = self._look(holder)
            did = after.did_since(before)
            if self._hand_overs != seen or did is Did.RAN:
                return False
            if did is Did.NAPPED:
                needed = NAP_LOOKS
            elif did is Did.UNKNOWN:
                needed = UNKNOWN_LOOKS
            if look >= needed:
                return True
            before = after
        raise AssertionError("unreachable: count() does not end")

    def _look(self, holder: Participant) -> "_Look":
        """See what the holder of the baton does, and who else might wake it."""
        alive = native_ids_alive()
        holder_id = holder.native_id
        others: frozenset[int] = frozenset()
        if alive is not None:
            others = alive - self._at_gate - self._threads.ignored_native_ids
        wanted = others if holder_id is None else others | {holder_id}
        return _Look(
            at_ns=real_monotonic_ns(),
            holder_id=holder_id,
            threads=read_activities(wanted),
        )

    def _fail_stalled(self, seen: int) -> None:
        with self.mutex.section:
            holder = self._holder
            if self._hand_overs != seen or holder is None:
                return
            place = stacks.of_thread(holder.thread)
            package = foreign_loop_of(holder.thread)
            self._fail(
                ClockHangError(
                    text.stall(holder.name, place, others_wait=len(self._by_thread) > 1)
                    if package is None
                    else text.foreign_loop(package, place),
                    Hang.STALL,
                )
            )
            if holder is not self.root:
                # Only the root can report it. The holder blocks, so they do not run at once.
                self._pass_baton_to_root()

    # ---- the mutex is held ------------------------------------------------------------

    def _pass_baton(self) -> None:
        self._advance_to(self._now_ns)  # who waits for this very instant takes its turn
        if self._looked_for:
            self._release_what_has_come()
        if not self._ready:
            deadline_ns = self._next_deadline_ns()
            if deadline_ns is not None:
                self._advance_to(deadline_ns)
        self._hand_to(self._taken() if self._ready else None)

    def _taken(self) -> Participant:
        """Take who goes on from those that are runnable."""
        if self.choices is None or len(self._ready) == 1:
            return self._ready.popleft()
        place = self.choices.place(self._last_holder, [each.name for each in self._ready])
        chosen = self._ready[place]
        del self._ready[place]
        return chosen

    def _release_what_has_come(self) -> None:
        for parking, has_come in self._looked_for.items():
            if parking.participant.parking is parking and has_come():
                self._release(parking)

    def _let_go(self) -> None:
        super()._let_go()
        for parking in self._looked_for:
            self._release(parking)

    def _pass_baton_to_root(self) -> None:
        assert self.root is not None
        if self.root in self._ready:
            self._ready.remove(self.root)
            self._hand_to(self.root)

    def _hand_to(self, participant: Participant | None) -> None:
        self._holder = participant
        if participant is not None:
            self._last_holder = participant.name
            self._hand_overs += 1
            participant.open_gate()

    @property
    def _spins_that_hang(self) -> int:
        return SPINS_THAT_HANG if self.choices is None else SPINS_THAT_HANG_IN_A_SCHEDULE

    def _count_spin(self, participant: Participant, describe: Callable[[], str]) -> None:
        self._spins += 1
        if self._spins < self._spins_that_hang:
            return
        turns, self._spins = self._spins, 0
        error = ClockHangError(
            text.endless_spinning(turns, participant.name, describe()), Hang.LIVELOCK
        )
        self._fail(error)
        participant.error = None
        raise error

    def _advance_to(self, time_ns: int) -> None:
        if time_ns > self._now_ns:
            self._now_ns = time_ns
            self._spins = self._polls = 0
        while (earliest := self._deadlines.earliest()) is not None:
            if earliest.deadline_ns is None or earliest.deadline_ns > self._now_ns:
                return
            self._make_runnable(earliest, Leave.DEADLINE)

    def _make_runnable(self, participant: Participant, leave: Leave) -> None:
        participant.set_runnable(leave)
        self._ready.append(participant)

    def _somebody_runs(self) -> bool:
        return bool(self._ready)

    def _on_opened(self, root: Participant) -> None:
        self._ready.clear()
        self._holder = root

    def _on_admitted(self, participant: Participant) -> None:
        self._ready.append(participant)

    def _on_dismissed(self, participant: Participant) -> None:
        self._ready.remove(participant)

    def _on_begun(self, participant: Participant) -> None:
        self._await_baton(participant)

    def _on_ended(self, participant: Participant) -> None:
        if self._holder is participant:
            self._pass_baton()


def passes_a_baton(clock: SkippingClock) -> TypeGuard[VirtualClock]:
    """Say whether a clock is the virtual one, by its mode."""
    return not clock.mode.charges_cpu
