"""A connection that sends head and body together if both are due at the same time.

uvicorn writes the head of an answer and its body by themselves, and uvloop sends each as it is
written: the client is woken for a head that it can do nothing with, and looks for the rest a
quarter of a millisecond later. A model's own server sends both together.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class HeldTransport(asyncio.Transport):
    """A transport that can hold data, and sends them with the data that are written next.

    Attributes:
        lost_ns: When its client was seen to be gone, on the monotonic clock.
        raw: The transport that sends the data.

    Args:
        transport: The transport that sends the data.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self.raw = transport
        self.lost_ns: int | None = None
        self._holds = False
        self._held: list[bytes] = []

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold what is written in this scope, until something is written outside or ``flush``."""
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold data, or send them together with the held data."""
        self._held.append(bytes(data))
        if not self._holds:
            self.flush()

    def flush(self) -> None:
        """Send the held data."""
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self.raw.write(data)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self.flush()
        self.raw.close()

    def abort(self) -> None:
        """Close the connection now, without sending the held data."""
        self._held.clear()
        self.raw.abort()

    def is_closing(self) -> bool:
        """Return whether the connection is closed or about to be."""
        return self.raw.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection."""
        return self.raw.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more from the peer for now."""
        self.raw.pause_reading()

    def resume_reading(self) -> None:
        """Take from the peer again."""
        self.raw.resume_reading()
