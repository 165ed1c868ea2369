"""A streamed answer: iterate over it, and close it."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Self

from ..errors import ConversationError
from ..messages import Answer, Finished, StreamEvent


class _Ending:
    """Remembers how a stream ended."""

    def __init__(self) -> None:
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """The answer, after the end of the stream.

        Raises:
            ConversationError: The stream was not read to its end.
        """
        if self._answer is None:
            raise ConversationError("the stream has no answer: it was not read to its end")
        return self._answer

    def _noted(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, Finished):
            self._answer = event.answer
        return event


class EventStream(_Ending, Iterator[StreamEvent]):
    """The events of a streamed answer; leaving it early closes the connection.

    Use a stream with ``with``, or call ``close``, unless you read it to its end.
    """

    def __init__(self, events: Generator[StreamEvent]) -> None:
        super().__init__()
        self._events = events

    def __next__(self) -> StreamEvent:
        return self._noted(next(self._events))

    def close(self) -> None:
        """End the stream: the connection is closed, and the conversation stays as it was."""
        self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncEventStream(_Ending, AsyncIterator[StreamEvent]):
    """The events of a streamed answer; leaving it early closes the connection.

    Use a stream with ``async with``, or call ``aclose``, unless you read it to its end.
    """

    def __init__(self, events: AsyncGenerator[StreamEvent]) -> None:
        super().__init__()
        self._events = events

    async def __anext__(self) -> StreamEvent:
        return self._noted(await anext(self._events))

    async def aclose(self) -> None:
        """End the stream: the connection is closed, and the conversation stays as it was."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
