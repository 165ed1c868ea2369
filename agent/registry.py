"""The tools that an agent offers, and how a call that the model wrote becomes a run of one."""

import asyncio
import functools
import inspect
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from .arguments import Validator, schema_from_signature, split_docstring, validator_from_schema
from .errors import ToolArgumentsError, ToolDefinitionError
from .messages import ToolCall, ToolResult

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that the model may call.

    Attributes:
        name: Letters, digits, ``_`` and ``-``, at most 64 of them.
        description: What it does and when to use it, for the model to read.
        parameters: JSON schema of its arguments, an object.
        function: Called with the arguments by name: a plain function, which runs in a
            thread, or an ``async def``. A result that is not a string is encoded as JSON.
        validate: Checks the arguments of a call; by default against ``parameters`` (see
            ``validator_from_schema`` for how far that goes).
    """

    name: str
    description: str
    parameters: Mapping[str, object]
    function: Callable[..., object]
    validate: Validator | None = field(default=None, repr=False)

    @classmethod
    def from_function(
        cls,
        function: Callable[..., object],
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> "Tool":
        """Make a tool of a typed function: its schema comes from hints and docstring.

        Args:
            function: A plain or async function whose parameters are all typed. Its docstring
                tells the model what it does; entries under ``Args:`` describe parameters.
            name: By default the function's own.
            description: By default the docstring up to its first section.

        Raises:
            ToolDefinitionError: A parameter is untyped or cannot be passed by name.
        """
        source = function.func if isinstance(function, functools.partial) else function
        tool_name = name or getattr(source, "__name__", None)
        if not isinstance(tool_name, str):
            raise ToolDefinitionError(f"{function!r} has no name of its own; pass name=…")
        text, descriptions = split_docstring(source.__doc__ or "")
        parameters, validate = schema_from_signature(tool_name, function, descriptions)
        return cls(
            name=tool_name,
            description=text if description is None else description,
            parameters=parameters,
            function=function,
            validate=validate,
        )


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call, checked and ready: a driver only chooses where and when it runs.

    Running it never raises an ``Exception``: a tool that fails gives a result that tells the
    model so. That is what lets a driver run many side by side, none cancelling the others.
    """

    call_id: str
    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    is_async: bool

    def run(self) -> ToolResult:
        """Run the tool to its end in this thread; an async one in an event loop of its own."""
        if self.is_async:
            return asyncio.run(self.run_async())
        try:
            return ToolResult(self.call_id, self._as_text(self.function(**self.arguments)))
        # A thread cannot be cancelled: this CancelledError is about something inside the tool.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the model is told
            return self._failure(error)

    async def run_async(self) -> ToolResult:
        """Run an async tool to its end in the running event loop."""
        try:
            return ToolResult(self.call_id, self._as_text(await self.function(**self.arguments)))
        except asyncio.CancelledError as error:
            # Cancellation of the session passes through. But a tool also meets this error if
            # something that it awaits was cancelled by others; then nobody asked this task to
            # stop, and the tool has merely failed.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return self._failure(error)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises, the model is told
            return self._failure(error)

    def _as_text(self, value: object) -> str:
        if isinstance(value, str):
            return value
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise ToolDefinitionError(
                f"tool {self.name!r} is a plain function but returned an awaitable; "
                "declare it 'async def'"
            )
        return to_json(value).decode()

    def _failure(self, error: BaseException) -> ToolResult:
        # The model reads one line; whoever runs the agent may want the traceback.
        _LOG.info("tool %r failed; the model is told", self.name, exc_info=error)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return ToolResult(self.call_id, f"error: tool {self.name!r} failed: {reason}")


class Toolbox:
    """The tools of one agent by name; immutable, shared by all its sessions.

    Attributes:
        schemas: What a request says about the tools, in the order in which they were given.
        has_async: Whether any of them is an ``async def``.

    Args:
        tools: The tools; their names must differ.

    Raises:
        ToolDefinitionError: Something given is not a tool, or a tool is not usable.
    """

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._entries: dict[str, tuple[Tool, Validator, bool]] = {}
        for index, tool in enumerate(tools):
            _check(index, tool)
            if tool.name in self._entries:
                raise ToolDefinitionError(f"two tools are named {tool.name!r}; rename one")
            self._entries[tool.name] = (tool, _validator(tool), _is_async(tool.function))
        self.schemas: tuple[dict[str, object], ...] = tuple(
            _schema(tool) for tool, _, _ in self._entries.values()
        )
        self.has_async = any(is_async for _, _, is_async in self._entries.values())

    def prepare(self, call: ToolCall) -> Invocation | ToolResult:
        """Check a call; one that cannot run is answered at once, with what to do better."""
        entry = self._entries.get(call.name)
        if entry is None:
            return ToolResult(
                call.id,
                f"error: there is no tool {call.name!r}; the tools are {sorted(self._entries)}",
            )
        tool, validate, is_async = entry
        try:
            # Some models write nothing at all where a tool takes no arguments.
            arguments = validate(call.arguments or "{}")
        except ToolArgumentsError as error:
            return ToolResult(call.id, f"error: wrong arguments for {call.name!r}: {error}")
        return Invocation(call.id, call.name, tool.function, arguments, is_async)


def _check(index: int, tool: object) -> None:
    if not isinstance(tool, Tool):
        raise ToolDefinitionError(
            f"tools[{index}] is {tool!r}, not a Tool; wrap a typed function in "
            "Tool.from_function(…)"
        )
    if not _NAME.fullmatch(tool.name):
        raise ToolDefinitionError(
            f"tools[{index}] is named {tool.name!r}; a name has 1 to 64 letters, digits, '_', '-'"
        )
    if not callable(tool.function):
        raise ToolDefinitionError(
            f"tool {tool.name!r}: its function is {tool.function!r}, which cannot be called"
        )


def _validator(tool: Tool) -> Validator:
    if tool.validate is not None:
        return tool.validate
    try:
        return validator_from_schema(tool.parameters)
    except ToolDefinitionError as error:
        raise ToolDefinitionError(f"tool {tool.name!r}: {error}") from error


def _is_async(function: Callable[..., object]) -> bool:
    # An object may be awaitable to call through its class's `async def __call__`.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - not asked whether, but which
    )


def _schema(tool: Tool) -> dict[str, object]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
