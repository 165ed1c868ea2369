"""Time limits that end in a custom error."""

import asyncio
from collections.abc import Callable
from types import TracebackType


def deadline_in(seconds: float | None) -> float | None:
    """Return the time in ``seconds`` from now, on the running loop's clock."""
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


class Until:
    """``asyncio.timeout_at`` that raises a given error instead of ``TimeoutError``.

    A ``TimeoutError`` of the code inside is not touched.

    Args:
        deadline_s: When time is up, on the running loop's clock; ``None`` for never.
        error: Makes the error to raise then.
    """

    __slots__ = ("_error", "_timeout")

    def __init__(self, deadline_s: float | None, error: Callable[[], Exception]) -> None:
        # Most have no limit, and a timeout costs something even then.
        self._timeout = None if deadline_s is None else asyncio.timeout_at(deadline_s)
        self._error = error

    async def __aenter__(self) -> None:
        if self._timeout is not None:
            await self._timeout.__aenter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timeout is None:
            return
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError as timeout:
            raise self._error() from timeout
