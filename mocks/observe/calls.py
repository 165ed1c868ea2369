"""One call of the mocked world: when its code waits, until when, and how it ends."""

from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from .meter import Meter, Row
from .refusals import UNKNOWN_SESSION
from .session import session_here
from .streams import StreamMeter
from .waits import Attempt, WaitEnding, WaitKind

_NEVER_NS = 1 << 62

What = tuple[WaitKind, int, int, int | None, str]
"""Kind, session, step, index and name, as ``Wait`` has them."""

Stream = tuple[StreamMeter, int]
"""What notes a stream, and its number there."""


class ModelCalls(Protocol):
    """Counts the model calls that are in flight, and what comes of them."""

    def model_call_read(self, session: int, step: int, at_ns: int, whole_tokens: int) -> None:
        """Record that an answer was there in whole.

        Args:
            session: Number of the session or conversation.
            step: Which of its model calls.
            at_ns: When, on the clock.
            whole_tokens: Tokens of the answer, unless they are counted piece by piece.
        """
        ...

    def stream_begins(self, session: int, start_ns: int, pieces: int, tokens: int) -> Stream | None:
        """Record that an answer comes as a stream.

        Args:
            session: Number of the session or conversation.
            start_ns: When the call started, on the clock.
            pieces: Pieces of the answer.
            tokens: Tokens of the answer.

        Returns:
            What notes its pieces; ``None`` if nothing does.
        """
        ...

    def model_call_ends(self) -> None:
        """Record that a call is no longer in flight."""
        ...


class Call:
    """The scope of one call; a transport or tool reports when it waits, and until when.

    Args:
        meter: Records the wait when it is over, if waits are to be recorded.
        what: The kind of the call, and what it belongs to.
        start_ns: Start of the call, on the clock.
        in_flight_of: The counters that count the call as in flight, until it is over.
        completion_tokens: Tokens of the model's answer.
        attempt: Told how the call ends, if it is one of the model.
    """

    __slots__ = (
        "_asked_ns",
        "_attempt",
        "_completion_tokens",
        "_due_ns",
        "_ending",
        "_idle_at_start_ns",
        "_idle_ns",
        "_in_flight_of",
        "_is_lost",
        "_meter",
        "_now_ns",
        "_place",
        "_ready_ns",
        "_start_ns",
        "_stream",
        "_streamed",
        "_waited_ns",
        "_waits",
        "_what",
    )

    def __init__(
        self,
        meter: Meter | None,
        what: What,
        start_ns: int,
        in_flight_of: ModelCalls | None = None,
        completion_tokens: int = 0,
        *,
        attempt: Attempt | None = None,
    ) -> None:
        self._meter = meter
        self._attempt = attempt
        self._what = what
        self._in_flight_of = in_flight_of
        self._completion_tokens = completion_tokens
        self._stream: Stream | None = None
        self._start_ns = self._asked_ns = self._due_ns = self._now_ns = start_ns
        self._waits = True
        self._waited_ns = 0
        self._ready_ns = 0
        self._idle_at_start_ns = self._idle_ns = 0
        # A model call is left unless its reply is seen to end.
        self._ending = WaitEnding.WHOLE if in_flight_of is None else WaitEnding.LEFT
        self._streamed = self._is_lost = False
        self._place = ""

    def __enter__(self) -> Self:
        if self._meter is not None:
            self._meter.open_calls[self] = None
            self._idle_at_start_ns = self._idle_ns = self._meter.idle_ns()
            if self._meter.notes_places:
                self._place = self._meter.caller()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        attempt = self._attempt
        if attempt is not None:
            ending = self._ending
            attempt.ends(
                is_answered=ending is WaitEnding.WHOLE, is_given_up=ending is WaitEnding.LEFT
            )
        try:
            if self._meter is not None:
                self._meter.open_calls.pop(self, None)
                self._note(self._meter)
        finally:
            if self._in_flight_of is not None:
                self._in_flight_of.model_call_ends()

    def _note(self, meter: Meter) -> None:
        if self._waits:
            self.taken_up()
        elif not self._is_lost:  # what is left of it was no wait
            self._now_ns, self._idle_ns = meter.now_ns(), meter.idle_ns()
        if self._ending is WaitEnding.LEFT and not self._streamed:
            self._place = meter.caller()
        meter.note(self._row(self._ending))

    def _row(self, ending: WaitEnding) -> Row:
        return (
            *self._what,
            self._start_ns,
            self._now_ns,
            self._waited_ns,
            self._ready_ns,
            self._idle_at_start_ns,
            self._idle_ns,
            ending,
            self._streamed,
            self._place,
        )

    def row_so_far(self) -> Row:
        """Return the wait of a call that is not over: until now, or until it was last read from."""
        self.taken_up()
        is_whole = self._ending is not WaitEnding.LEFT
        return self._row(self._ending if is_whole else WaitEnding.LEAKED)

    def is_streamed(self, place: str | None = None, pieces: int = 0) -> None:
        """Report that the reply is a stream, to the code that asks for it.

        Args:
            place: The place in the user's code, if it is not the one that is calling.
            pieces: Pieces of the model's answer.
        """
        self._streamed = True
        if self._in_flight_of is not None:
            self._stream = self._in_flight_of.stream_begins(
                self._what[1], self._start_ns, pieces, self._completion_tokens
            )
        if self._meter is not None:
            self._place = self._meter.caller() if place is None else place

    def takes_pieces(self, pieces: int, at_ns: int) -> None:
        """Report that pieces of a streamed answer were taken up.

        Args:
            pieces: How many; bytes that frame an answer carry none.
            at_ns: When, on the clock.
        """
        if pieces and self._stream is not None:
            meter, stream = self._stream
            meter.takes(stream, pieces, at_ns)

    def reply_ends(self, at_ns: int, *, is_accepted: bool) -> None:
        """Report that the client has waited for all of the model's reply.

        Args:
            at_ns: When it was all there.
            is_accepted: Whether the client takes it for a proper answer.
        """
        self._ending = WaitEnding.WHOLE if is_accepted else WaitEnding.FAILED
        if is_accepted and self._in_flight_of is not None:
            # Those of a stream count piece by piece.
            whole_tokens = 0 if self._stream is not None else self._completion_tokens
            self._in_flight_of.model_call_read(self._what[1], self._what[2], at_ns, whole_tokens)

    def waits_until(self, due_ns: int) -> None:
        """Report a wait until ``due_ns``; the first one started with the call."""
        if not self._waits and self._meter is not None:
            self._waits = True
            self._asked_ns, self._idle_ns = self._meter.now_ns(), self._meter.idle_ns()
        self._due_ns = due_ns

    def computes_until(self, due_ns: int) -> None:
        """Report that the calling thread computes until ``due_ns``, from the start of the call."""
        self._due_ns = due_ns
        if self._meter is not None and self._meter.cpu is not None:
            self._meter.cpu.computes(due_ns - self._start_ns)

    def taken_up(self, not_after_ns: int | None = None) -> None:
        """Report that the code continues, also where the wait was cut short.

        Args:
            not_after_ns: When a client was gone already, if that is seen only now.
        """
        meter = self._meter
        if meter is None or not self._waits:
            return
        self._waits = False
        asked_ns, due_ns = self._asked_ns, self._due_ns
        from_ns = asked_ns - self._idle_ns
        now_ns, idle_ns = meter.now_ns(), meter.idle_ns()
        if not_after_ns is not None:
            now_ns = max(asked_ns, min(now_ns, not_after_ns))
            self._is_lost = True
        self._now_ns, self._idle_ns = now_ns, idle_ns
        if now_ns < due_ns:
            self._waited_ns += now_ns - asked_ns
        elif asked_ns < due_ns:
            self._waited_ns += due_ns - asked_ns
            self._ready_ns += now_ns - due_ns
        else:
            self._ready_ns += now_ns - asked_ns
        if now_ns >= meter.tick_due_ns:
            meter.ticks(now_ns)
        cpu = meter.cpu
        if cpu is not None:
            cpu.waited(self._what[1], from_ns, now_ns - idle_ns)


class SharedCall(Call):
    """The scope of one call that several sessions wait for.

    Args:
        meter: Records the wait of each session when it is over, if waits are to be recorded.
        what: The kind of the call, and what it belongs to: the first of the sessions.
        start_ns: Start of the call, on the clock.
        sessions: The sessions.
    """

    __slots__ = ("_sessions",)

    def __init__(
        self, meter: Meter | None, what: What, start_ns: int, sessions: tuple[int, ...]
    ) -> None:
        super().__init__(meter, what, start_ns)
        self._sessions = sessions

    def _note(self, meter: Meter) -> None:
        super()._note(meter)
        kind, _, *more = self._row(self._ending)
        for session in self._sessions[1:]:
            meter.note((kind, session, *more))  # type: ignore[arg-type]


class ConnectionWait(Call):
    """The scope of one wait for a free connection; whoever has the pool reports how it ends.

    Args:
        meter: Records the wait when it is over, if waits are to be recorded.
        lock: Held where requests are counted.
        client: Name of the client's library.
        most: How many connections its pool may have.
        start_ns: Start of the wait, on the clock.
    """

    __slots__ = ("_client", "_lock", "_most")

    def __init__(
        self, meter: Meter | None, lock: Lock, client: str, most: int, start_ns: int
    ) -> None:
        what = WaitKind.CONNECTION, session_or_unknown(), UNKNOWN_SESSION, None, client
        super().__init__(meter, what, start_ns)
        self._client = client
        self._most = most
        self._lock = lock
        self._due_ns = _NEVER_NS  # until somebody gives a connection back
        self._ending = WaitEnding.LEFT

    def is_granted(self, at_ns: int) -> None:
        """Report when a connection was free; the request may go on later."""
        self._due_ns = at_ns
        self._ending = WaitEnding.WHOLE

    def times_out(self) -> None:
        """Report that the client gave up."""
        self._ending = WaitEnding.FAILED
        if self._meter is not None:
            with self._lock:
                self._meter.pools.times_out(self._client, self._most)


def session_or_unknown() -> int:
    """Return the number of the session that runs here, or that of none."""
    session = session_here()
    return UNKNOWN_SESSION if session is None else session
