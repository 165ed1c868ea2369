"""Counts the requests to the mocked world, from any thread; a meter can record each wait."""

from threading import Lock
from types import TracebackType
from typing import Self

from .meter import SESSION, Meter
from .requests import RequestMeter, Requests
from .waits import Wait, WaitKind

_UNKNOWN = -1

# Kind, session, step, index and name, as ``Wait`` has them.
_What = tuple[WaitKind, int, int, int | None, str]


class Traffic:
    """The counters of one trial.

    Attributes:
        http_requests: Requests that reached the mocked network.
        llm_calls: Model calls started.
        tool_calls: Calls of the lab's tools started.
        service_calls: Requests to HTTP services started.
        peak_in_flight: Greatest number of concurrent model calls.

    Args:
        meter: Records each wait, if waits are to be recorded.
        requests: Sums up the requests to the model, if that is to be done.
    """

    def __init__(self, meter: Meter | None = None, requests: RequestMeter | None = None) -> None:
        self._lock = Lock()
        self._meter = meter
        self._requests = requests
        self._in_flight = 0
        self.reset()

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The calls that are over, in the order of their ends, if they are recorded."""
        return () if self._meter is None else self._meter.waits

    @property
    def requests(self) -> Requests | None:
        """The requests to the model, if they are summed up."""
        return None if self._requests is None else self._requests.requests()

    @property
    def in_flight(self) -> int:
        """The number of model calls that wait now."""
        return self._in_flight

    def reset(self) -> None:
        """Reset all counters, after a warm-up for instance, except the calls in flight."""
        self.http_requests = 0
        self.llm_calls = 0
        self.tool_calls = 0
        self.service_calls = 0
        self.peak_in_flight = self._in_flight
        if self._meter is not None:
            self._meter.forget()
        if self._requests is not None:
            self._requests.forget()

    def http_request(self) -> None:
        """Count one HTTP request."""
        with self._lock:
            self.http_requests += 1

    def model_request(self, body: bytes, *, is_streamed: bool) -> None:
        """Sum up the body of a request to the model, if that is to be done."""
        if self._requests is not None:
            self._requests.note(body, is_streamed=is_streamed)

    def model_call(self, session: int, step: int, start_ns: int) -> "Call":
        """Count one model call, which started at ``start_ns``, in flight until the scope ends."""
        with self._lock:
            self.llm_calls += 1
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        what = WaitKind.MODEL, session, step, None, ""
        return Call(self._meter, what, start_ns, in_flight_of=self)

    def service_call(self, name: str, start_ns: int) -> "Call":
        """Count one request to an HTTP service.

        The session is known only where the caller inherits the session's context.
        """
        with self._lock:
            self.service_calls += 1
        session = SESSION.get()
        session = _UNKNOWN if session is None else session
        what = WaitKind.SERVICE, session, _UNKNOWN, None, name
        return Call(self._meter, what, start_ns)

    def tool_call(self, session: int, step: int, index: int, name: str, start_ns: int) -> "Call":
        """Count one call of a lab's tool."""
        with self._lock:
            self.tool_calls += 1
        return Call(self._meter, (WaitKind.TOOL, session, step, index, name), start_ns)

    def _model_call_ends(self) -> None:
        with self._lock:
            self._in_flight -= 1


class Call:
    """The scope of one call; a transport or tool reports when it waits, and until when.

    Args:
        meter: Records the wait when it is over, if waits are to be recorded.
        what: The kind of the call, and what it belongs to.
        start_ns: Start of the call, on the clock.
        in_flight_of: The counters that count the call as in flight, until it is over.
    """

    __slots__ = (
        "_asked_ns",
        "_due_ns",
        "_idle_at_start_ns",
        "_idle_ns",
        "_in_flight_of",
        "_meter",
        "_now_ns",
        "_ready_ns",
        "_start_ns",
        "_waited_ns",
        "_waits",
        "_what",
    )

    def __init__(
        self,
        meter: Meter | None,
        what: _What,
        start_ns: int,
        in_flight_of: Traffic | None = None,
    ) -> None:
        self._meter = meter
        self._what = what
        self._in_flight_of = in_flight_of
        self._start_ns = self._asked_ns = self._due_ns = self._now_ns = start_ns
        self._waits = True
        self._waited_ns = 0
        self._ready_ns = 0
        self._idle_at_start_ns = self._idle_ns = 0

    def __enter__(self) -> Self:
        if self._meter is not None:
            self._idle_at_start_ns = self._idle_ns = self._meter.idle_ns()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            if self._meter is not None:
                self._note(self._meter)
        finally:
            if self._in_flight_of is not None:
                self._in_flight_of._model_call_ends()

    def _note(self, meter: Meter) -> None:
        if self._waits:
            self.taken_up()
        else:  # what is left of it was no wait
            self._now_ns, self._idle_ns = meter.now_ns(), meter.idle_ns()
        meter.note(
            (
                *self._what,
                self._start_ns,
                self._now_ns,
                self._waited_ns,
                self._ready_ns,
                self._idle_at_start_ns,
                self._idle_ns,
            )
        )

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

    def taken_up(self) -> None:
        """Report that the code continues, also where the wait was cut short."""
        meter = self._meter
        if meter is None or not self._waits:
            return
        self._waits = False
        asked_ns, due_ns = self._asked_ns, self._due_ns
        from_ns = asked_ns - self._idle_ns
        self._now_ns, self._idle_ns = now_ns, idle_ns = meter.now_ns(), meter.idle_ns()
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
