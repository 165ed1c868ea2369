"""Counts what the mocked world is asked for, from any thread, and can note each wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Wait:
    """One call of the model or of a lab's tool, as it happened.

    Attributes:
        session: The session that it belongs to.
        step: Which of the session's model calls it is, or has asked for it.
        index: Which of the tool calls of that answer it is; ``None`` for the model call.
        name: Name of the tool; empty for the model.
        start_ns: When it began, on the clock.
        end_ns: When it was over.
    """

    session: int
    step: int
    index: int | None
    name: str
    start_ns: int
    end_ns: int


class Traffic:
    """The counters of one trial.

    Attributes:
        http_requests: Requests that reached the mocked network.
        llm_calls: Model calls begun.
        tool_calls: Calls of the lab's tools begun.
        service_calls: Requests to HTTP services begun.
        peak_in_flight: Greatest number of model calls waiting at one time.
        waits: The calls that are over, in the order of their ends, if they are noted.

    Args:
        now_ns: Reads the clock, if waits shall be noted: a hundred bytes for each call.
    """

    def __init__(self, now_ns: Callable[[], int] | None = None) -> None:
        self._lock = Lock()
        self._now_ns = now_ns
        self.reset()

    def reset(self) -> None:
        """Forget everything, the warm-up for instance."""
        self.http_requests = 0
        self.llm_calls = 0
        self.tool_calls = 0
        self.service_calls = 0
        self.peak_in_flight = 0
        self.waits: list[Wait] = []
        self._in_flight = 0

    def http_request(self) -> None:
        """Count one HTTP request."""
        with self._lock:
            self.http_requests += 1

    @contextmanager
    def model_call(self, session: int, step: int, start_ns: int) -> Iterator[None]:
        """Count one model call, which began at ``start_ns``, in flight until the scope ends."""
        with self._lock:
            self.llm_calls += 1
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        try:
            yield
        finally:
            self._note(session, step, None, "", start_ns)
            with self._lock:
                self._in_flight -= 1

    @contextmanager
    def service_call(self) -> Iterator[None]:
        """Count one request to an HTTP service."""
        with self._lock:
            self.service_calls += 1
        yield

    @contextmanager
    def tool_call(self, session: int, step: int, index: int, name: str) -> Iterator[None]:
        """Count one call of a lab's tool."""
        with self._lock:
            self.tool_calls += 1
        start_ns = self._now()
        try:
            yield
        finally:
            self._note(session, step, index, name, start_ns)

    def _now(self) -> int:
        return 0 if self._now_ns is None else self._now_ns()

    def _note(self, session: int, step: int, index: int | None, name: str, start_ns: int) -> None:
        if self._now_ns is not None:
            # Appending is atomic.
            self.waits.append(Wait(session, step, index, name, start_ns, self._now_ns()))
