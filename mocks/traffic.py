"""Counts what the mocked world is asked for, from any thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Traffic:
    """The counters of one trial.

    Attributes:
        llm_calls: Model calls begun.
        tool_calls: Calls of the lab's tools begun.
        peak_in_flight: Greatest number of model calls waiting at one time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, the warm-up for instance."""
        self.llm_calls = 0
        self.tool_calls = 0
        self.peak_in_flight = 0
        self._in_flight = 0

    @contextmanager
    def model_call(self) -> Iterator[None]:
        """Count one model call, in flight until the scope ends."""
        with self._lock:
            self.llm_calls += 1
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def count_tool_call(self) -> None:
        """Count one call of a lab's tool."""
        with self._lock:
            self.tool_calls += 1
