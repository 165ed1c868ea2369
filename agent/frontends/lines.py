"""Reads lines from a terminal or a pipe without ever blocking the event loop."""

import asyncio
import os
from collections import deque
from contextlib import suppress

_AT_ONCE_BYTES = 4096


class Lines:
    """The lines that come in on a file descriptor; use with ``async with``.

    The loop is notified when there is something to read, so slow typing does not block it, and
    no thread is involved. (A regular file is always ready, and the loop refuses to watch it:
    then the file is read immediately, which is fast.)

    Args:
        descriptor: A file descriptor, such as that of the standard input; stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._partial = b""
        self._lines: deque[str] = deque()
        self._over = False
        self._something = asyncio.Event()

    async def next(self) -> str | None:
        """Wait for the next line and return it without its end; ``None`` when there are no more."""
        while not self._lines and not self._over:
            self._something.clear()
            await self._something.wait()
        return self._lines.popleft() if self._lines else None

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _AT_ONCE_BYTES)
        except OSError:  # the terminal has gone
            data = b""
        *whole, self._partial = (self._partial + data).split(b"\n")
        self._lines.extend(line.decode(errors="replace").rstrip("\r") for line in whole)
        if not data:
            self._over = True
            if self._partial:
                self._lines.append(self._partial.decode(errors="replace"))
            self._stop()
        self._something.set()

    def _stop(self) -> None:
        with suppress(ValueError):  # of a descriptor that was closed meanwhile
            asyncio.get_running_loop().remove_reader(self._descriptor)

    async def __aenter__(self) -> "Lines":
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        except PermissionError:
            while not self._over:
                self._read()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop()
