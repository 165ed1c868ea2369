"""Sessions that yield what their user sees, as it comes: told apart, and driven like all others.

A session may be an async generator or a plain one. What it yields is text, and its answer is all
of that. The lab takes each text up at once, as a user who only reads.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any, cast

from ..strategies.protocol import AsyncSession, SyncSession

AsyncOutputs = Callable[[str], AsyncGenerator[str, None]]
"""A session that yields its output: ``async def session(task): yield "Hello"``."""

SyncOutputs = Callable[[str], Generator[str, None, None]]
"""The same in plain code: ``def session(task): yield "Hello"``."""

OnFirstOutput = Callable[[str], None]
"""Called with the task when its session has yielded its first output."""


def _unnoted(_task: str) -> None:
    """Note nothing."""


def is_async(function: object) -> bool:
    """Return whether a function is a session for event loops: a coroutine or an async generator."""
    return _is(function, inspect.iscoroutinefunction) or yields_async(function)


def yields(function: object) -> bool:
    """Return whether a function is a plain generator."""
    return _is(function, inspect.isgeneratorfunction)


def yields_async(function: object) -> bool:
    """Return whether a function is an async generator."""
    return _is(function, inspect.isasyncgenfunction)


def answering_async(
    session: AsyncSession | AsyncOutputs, on_first: OnFirstOutput = _unnoted
) -> AsyncSession:
    """Return a session that returns its answer, whichever form it has.

    Args:
        session: The session.
        on_first: Called with the task at the first output that is not empty, if it yields any.

    Raises:
        TypeError: It is called, and yields what is no text.
    """
    if not yields_async(session):
        return cast("AsyncSession", session)
    yielding = cast("AsyncOutputs", session)

    async def answer(task: str) -> str:
        texts: list[str] = []
        async with aclosing(yielding(task)) as outputs:
            async for output in outputs:
                _require_text(output)
                if output and not texts:
                    on_first(task)
                if output:
                    texts.append(output)
        return "".join(texts)

    return answer


def answering(
    session: SyncSession | SyncOutputs, on_first: OnFirstOutput = _unnoted
) -> SyncSession:
    """Return the same of a session in plain code."""
    if not yields(session):
        return cast("SyncSession", session)
    yielding = cast("SyncOutputs", session)

    def answer(task: str) -> str:
        texts: list[str] = []
        with closing(yielding(task)) as outputs:
            for output in outputs:
                _require_text(output)
                if output and not texts:
                    on_first(task)
                if output:
                    texts.append(output)
        return "".join(texts)

    return answer


def _require_text(output: object) -> None:
    if not isinstance(output, str):
        raise TypeError(
            f"the session yielded {type(output).__name__}: expected str, the text that its user "
            "sees"
        )


def _is(function: object, form: Callable[[Any], bool]) -> bool:
    # An object may have a call of that form.
    return form(function) or form(getattr(function, "__call__", None))  # noqa: B004
