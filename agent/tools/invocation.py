"""One call of a tool, checked and ready to run."""

import asyncio
import inspect
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_core import to_json

from ..errors import ToolDefinitionError, ToolFailedError
from ..messages import ToolCall, ToolResult
from .executors import submit
from .tool import Tool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call, checked and ready: a driver only chooses where and when the call runs.

    Running a call never raises an ``Exception``: a failed tool gives an error result for the model.
    So a driver can run many calls concurrently without one cancelling the others.

    Attributes:
        call: The call as the model wrote it.
        tool: The tool of the call.
        arguments: The checked arguments.
        is_async: Whether the tool is awaited.
    """

    call: ToolCall
    tool: Tool
    arguments: dict[str, Any]
    is_async: bool

    def run(self) -> ToolResult:
        """Run the tool to its end in this thread; an async one in an event loop of its own."""
        if self.is_async:
            return asyncio.run(self.run_async())
        return run_plain(self.call.id, self.tool.name, self.tool.function, self.arguments)

    async def run_async(self) -> ToolResult:
        """Run an async tool in the running event loop, to its end or its timeout."""
        call_id, name = self.call.id, self.tool.name
        limit = asyncio.timeout(self.tool.timeout_s)
        try:
            async with limit:
                function: Callable[..., Any] = self.tool.function
                return ToolResult(call_id, _as_text(name, await function(**self.arguments)))
        except asyncio.CancelledError as error:
            # Cancellation of the session passes through. But a tool also meets this error if
            # something that it awaits was cancelled by others; then nobody asked this task to
            # stop, and the tool has merely failed.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _failure(call_id, name, error)
        except Exception as error:  # noqa: BLE001 - any error of a tool goes to the model
            return self.timed_out() if limit.expired() else _failure(call_id, name, error)

    def submit(self, executor: Executor) -> "Future[ToolResult]":
        """Submit a plain tool to its own executor or else to this one.

        Raises:
            SettingsError: The executor was shut down.
        """
        chosen = self.tool.executor or executor
        work = (self.call.id, self.tool.name, self.tool.function, self.arguments)
        if isinstance(chosen, ProcessPoolExecutor):
            # Context variables cannot follow into another process.
            return submit(chosen, run_plain, *work)
        # A thread starts in an empty context; hand it a copy of ours (a copy, because only one
        # thread at a time may be in a context).
        return submit(chosen, partial(copy_context().run, run_plain, *work))

    def result_of(self, ended: "Future[ToolResult] | asyncio.Future[ToolResult]") -> ToolResult:
        """Return the result of a submitted call that has ended, however it ended."""
        try:
            return ended.result()
        except Exception as error:  # noqa: BLE001 - a broken pool, or what cannot be pickled
            return _failure(self.call.id, self.tool.name, error)

    def timed_out(self) -> ToolResult:
        """Return the result of a tool that took too long."""
        return ToolResult(
            self.call.id,
            f"error: tool {self.tool.name!r} timed out after {self.tool.timeout_s:g} seconds",
            failed=True,
        )

    def checked(self, result: ToolResult) -> ToolResult:
        """Return the result, unless it is the failure of a critical tool.

        Raises:
            ToolFailedError: A critical tool failed.
        """
        if result.failed and self.tool.critical:
            raise ToolFailedError(result.text.removeprefix("error: "))
        return result


def run_plain(
    call_id: str, name: str, function: Callable[..., object], arguments: dict[str, Any]
) -> ToolResult:
    """Run a plain function to its end; a module's function, so that a process can receive it."""
    try:
        return ToolResult(call_id, _as_text(name, function(**arguments)))
    # A thread cannot be cancelled: this CancelledError is about something inside the tool.
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it goes to the model
        return _failure(call_id, name, error)


def is_awaited(function: Callable[..., object]) -> bool:
    """Return whether a call of a function has to be awaited."""
    # An object may be awaitable to call through its class's `async def __call__`.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - not asked whether, but which
    )


def _as_text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ToolDefinitionError(
            f"tool {name!r} is a plain function but returned an awaitable; declare it 'async def'"
        )
    return to_json(value).decode()


def _failure(call_id: str, name: str, error: BaseException) -> ToolResult:
    # The model reads one line; whoever runs the agent may want the traceback.
    _LOG.info("tool %r failed; the model gets the error", name, exc_info=error)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return ToolResult(call_id, f"error: tool {name!r} failed: {reason}", failed=True)
