"""uvloop's event loop on a clock that skips: a callback that parks when the loop is idle.

uvloop's timers are libuv's, out of reach. So the subclass keeps its own heap of timers, and
a *pacer*: a callback that schedules itself anew in each iteration, schedules the timers that
are due, and parks at the clock once the loop is idle. As on asyncio's loop, timers come after
the mocked waits that are due with them. The loop is idle when no ``call_soon`` came between two
runs of the pacer: callbacks come from callbacks, from other threads (which queue theirs before
they release the parking, so that it is run before the pacer's next turn), or from real I/O
(which is refused). uvloop still runs every callback itself, so its own cost is what gets
measured.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from itertools import count, groupby
from operator import itemgetter
from typing import NoReturn, TypeVarTuple

import uvloop

from ...errors import ClockError
from ...network.addresses import require_loopback
from ..own_waits import sets_result, tell_of_futures
from ..participants import Parking
from ..protocol import due_nanoseconds, seconds
from ..skipping import SkippingClock
from ..threads import stacks
from .ordering import order_by_creation
from .ties import Ties
from .timers import Waits

Arguments = TypeVarTuple("Arguments")

_MANY_CANCELLED = 100
_GRAIN_NS = 1_000_000  # libuv counts in milliseconds


class SkippingUvloop(uvloop.Loop):
    """uvloop's loop, keeping a skipping clock's time.

    Attributes:
        mocked_waits: What its coroutines wait for on the clock.
    """

    def __init__(self, clock: SkippingClock) -> None:
        super().__init__()
        self._clock = clock
        self.mocked_waits = Waits(clock.choices)
        self._ties = None if clock.choices is None else Ties(clock.choices, clock.now_ns)
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._timer_sequence = count()
        self._timers_cancelled = 0
        self._soon_calls = 0
        self._soon_calls_seen = -1
        self._stopping_soon = False
        self._pacing = False
        self._parking: Parking | None = None
        self._clock_error: ClockError | None = None
        order_by_creation(self, clock)
        tell_of_futures(self, clock.wait_observer)

    def time(self) -> float:
        """Return the clock's time in seconds."""
        return seconds(self._clock.now_ns())

    # ---- scheduling -------------------------------------------------------------------

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Schedule for the next iteration."""
        self._soon_calls += 1
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Schedule from another thread; the loop counts as running from here."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if self._parking is not None:
            self._clock.release(self._parking)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call after ``delay`` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at ``when``; equal deadlines are called in the order in which they were set."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        # asyncio's handle, since libuv's cannot be had without its timer.
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        due_ns = due_nanoseconds(when, self._clock.now_ns())
        sequence = next(self._timer_sequence)
        if self._ties is not None:
            self._ties.begins(sequence, "timer")
        heapq.heappush(self._timers, (due_ns, sequence, handle))
        if callback is sets_result and self._clock.wait_observer is not None:
            self._clock.wait_observer.timer_set(due_ns, *args)
        return handle

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        self._timers_cancelled += 1
        if self._timers_cancelled > _MANY_CANCELLED and (
            2 * self._timers_cancelled > len(self._timers)
        ):
            self._timers = [timer for timer in self._timers if not timer[2].cancelled()]
            heapq.heapify(self._timers)
            self._timers_cancelled = 0

    # ---- running --------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run until ``stop``.

        Raises:
            ClockError: Time could not be kept.
        """
        self._stopping_soon = False
        self._parking = Parking(
            self._clock.participant_here(), self._describe_idle, is_of_loop=True
        )
        if not self._pacing:
            self._pacing = True
            super().call_soon(self.pace)
        if self._clock.loop_observer is not None:
            self._clock.loop_observer.runs()
        super().run_forever()
        if self._clock_error is not None:
            error, self._clock_error = self._clock_error, None
            raise error

    def stop(self) -> None:
        """Stop after the current iteration."""
        self._stopping_soon = True
        super().stop()

    def pace(self) -> None:
        """Do what an iteration of the loop does beside its callbacks: schedule timers, park."""
        try:
            self._schedule_what_is_due()
            if not self._stopping_soon:
                self._park_or_spin()
        except ClockError as error:
            # An exception of a callback would only be logged: carry it out of the loop.
            self._clock_error = error
            self.stop()
        finally:  # also when a signal's handler raises KeyboardInterrupt or SystemExit
            self._soon_calls_seen = self._soon_calls
            if self._stopping_soon:
                self._pacing = False
            else:
                super().call_soon(self.pace)

    def _park_or_spin(self) -> None:
        is_idle = self._soon_calls == self._soon_calls_seen
        observer = self._clock.loop_observer
        if observer is not None:
            observer.polls()
        try:
            if is_idle:
                self._park()
            else:
                assert self._parking is not None
                self._clock.spin(self._parking.participant, self._describe_tasks)
        finally:
            if observer is not None:
                observer.runs()
        if is_idle:
            self._schedule_what_is_due()

    def _schedule_what_is_due(self) -> None:
        """Wake whose time has come, and behind them in the queue call the timers.

        So what a wait brings is taken up before a timeout at the same time: whoever is woken may
        cancel it still.
        """
        timers = self._timers
        now_ns = self._clock.now_ns()
        self.mocked_waits.wake_due(now_ns)
        # A timer that one of these sets anew for now waits for the next turn.
        if self._ties is not None:
            self._schedule_chosen(self._ties, now_ns)
            return
        while timers and (timers[0][0] <= now_ns or timers[0][2].cancelled()):
            handle = heapq.heappop(timers)[2]
            if not handle.cancelled():
                self.call_soon(self._run_timer, handle)

    def _schedule_chosen(self, ties: Ties, now_ns: int) -> None:
        """Call the timers that are due; who is first of those due at one time is chosen."""
        timers = self._timers
        due: list[tuple[int, int, asyncio.TimerHandle]] = []
        while timers and (timers[0][0] <= now_ns or timers[0][2].cancelled()):
            timer = heapq.heappop(timers)
            if timer[2].cancelled():
                ties.is_over(timer[1])
            else:
                due.append(timer)
        for _, tied in groupby(due, key=itemgetter(0)):
            handles = {sequence: handle for _, sequence, handle in tied}
            for sequence in ties.ordered(list(handles)):
                self.call_soon(self._run_timer, handles[sequence])

    def _run_timer(self, handle: asyncio.TimerHandle) -> None:
        if not handle.cancelled():
            # What every loop does with its handles; there is no public way.
            handle._run()

    def _park(self) -> None:
        assert self._parking is not None
        due_ns = self.mocked_waits.earliest_ns()
        dues_ns = [timer[0] for timer in self._timers[:1]] + ([] if due_ns is None else [due_ns])
        deadline_ns = min(dues_ns, default=None)
        if deadline_ns is not None and self._clock.mode.charges_cpu:
            now_ns = self._clock.now_ns()
            deadline_ns = now_ns - (now_ns - deadline_ns) // _GRAIN_NS * _GRAIN_NS
        self._clock.park(self._parking, deadline_ns)

    def _describe_tasks(self) -> str:
        return stacks.of_tasks(self)

    def _describe_idle(self) -> str:
        return f"its event loop has no timer; {self._describe_tasks()}"

    # ---- real I/O, which would be raced -------------------------------------------------

    def _refuse_io(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise self._clock.refuse("real I/O was asked of the event loop")

    async def _refuse_io_async(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise self._clock.refuse("real I/O was asked of the event loop")

    async def getaddrinfo(self, host: object, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse a look-up: of another machine's name as if nobody knew it, which is no I/O."""
        require_loopback(host)
        await self._refuse_io_async()

    async def create_connection(  # type: ignore[override]  # none is ever made
        self, _factory: object, host: object = None, *_args: object, **_kwargs: object
    ) -> NoReturn:
        """Refuse a connection: to another machine as if it were out of reach, which is no I/O."""
        require_loopback(host)
        await self._refuse_io_async()

    add_reader = add_writer = _refuse_io
    connect_accepted_socket = create_datagram_endpoint = _refuse_io_async
    connect_read_pipe = connect_write_pipe = _refuse_io_async
    create_server = create_unix_connection = create_unix_server = _refuse_io_async
    getnameinfo = _refuse_io_async
    sock_accept = sock_connect = sock_recv = sock_recv_into = sock_sendall = _refuse_io_async
    sock_recvfrom = sock_recvfrom_into = sock_sendto = _refuse_io_async
    subprocess_exec = subprocess_shell = _refuse_io_async
