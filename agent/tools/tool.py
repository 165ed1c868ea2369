"""What a tool is, and how a function becomes one.

    @tool(timeout_s=5)
    async def weather(city: str, unit: Literal["C", "F"] = "C") -> str:
        '''Look up the weather.'''

``@tool`` leaves the function as it is, to be called and tested as before, and stores on it the
options that an agent needs besides type hints and docstring. A function without the decorator
is a tool with all options at their defaults.
"""

import functools
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, overload

from ..errors import ToolDefinitionError
from ..policies.limiter import Limiter, Slots, Unlimited
from .schema import Validator, schema_from_signature, split_docstring, validator_from_schema

Function = Callable[..., object]
Decorated = TypeVar("Decorated", bound=Function)

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OPTIONS = "__agent_tool__"
"""The attribute in which the decorator stores its ``ToolOptions``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """How a tool is offered and run; ``None`` means the default.

    Attributes:
        name: Letters, digits, ``_`` and ``-``, at most 64; by default the function's name.
        description: Description for the model; by default the docstring's first part.
        timeout_s: Seconds after which the call fails with a timeout. An async tool is
            cancelled then; a plain function cannot be, and runs on, unheard.
        max_parallel: Concurrent calls of the tool, in all agents that have it.
        executor: The executor of a plain function: a ``ProcessPoolExecutor``, say, if the
            function computes. By default the agent's threads.
        critical: Whether a failure of the tool ends the session, and cancels the other tools.
    """

    name: str | None = None
    description: str | None = None
    timeout_s: float | None = None
    max_parallel: int | None = None
    executor: Executor | None = None
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that the model may call.

    Attributes:
        name: Letters, digits, ``_`` and ``-``, at most 64 of them.
        description: The tool's purpose and when to use it, for the model.
        parameters: JSON schema of the arguments, an object.
        function: Called with the arguments by name: a plain function, which runs in a
            thread, or an ``async def``. A result that is not a string is encoded as JSON.
        validate: Checks the arguments of a call; by default against ``parameters`` (see
            ``validator_from_schema`` for how far that goes).
        timeout_s, max_parallel, executor, critical: As in ``ToolOptions``.
        limiter: What keeps to ``max_parallel``; made by the tool.

    Raises:
        ToolDefinitionError: A field is not usable.
    """

    name: str
    description: str
    parameters: Mapping[str, object]
    function: Function
    validate: Validator | None = field(default=None, repr=False)
    timeout_s: float | None = None
    max_parallel: int | None = None
    executor: Executor | None = field(default=None, repr=False)
    critical: bool = False
    limiter: Slots = field(default_factory=Unlimited, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ToolDefinitionError(
                f"a tool is named {self.name!r}; a name has 1 to 64 letters, digits, '_', '-'"
            )
        if not callable(self.function):
            raise ToolDefinitionError(
                f"tool {self.name!r}: its function is {self.function!r}, which cannot be called"
            )
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ToolDefinitionError(
                f"tool {self.name!r}: timeout_s is {self.timeout_s}; expected more than 0 seconds"
            )
        if self.validate is None:
            object.__setattr__(self, "validate", self._own_validator())
        if self.max_parallel is not None:
            object.__setattr__(self, "limiter", self._own_limiter(self.max_parallel))

    def _own_validator(self) -> Validator:
        try:
            return validator_from_schema(self.parameters)
        except ToolDefinitionError as error:
            raise ToolDefinitionError(f"tool {self.name!r}: {error}") from error

    def _own_limiter(self, max_parallel: int) -> Limiter:
        if max_parallel < 1:
            raise ToolDefinitionError(
                f"tool {self.name!r}: max_parallel is {max_parallel}; expected at least 1"
            )
        return Limiter(max_parallel)

    @classmethod
    def from_function(cls, function: Function, **options: Any) -> "Tool":
        """Make a tool of a typed function: its schema comes from hints and docstring.

        Args:
            function: A plain or async function, a bound method, a ``functools.partial`` or an
                object with ``__call__``, whose parameters are all typed. The model neither sees
                    nor sets what a partial has bound by name.
                Entries under ``Args:`` of the docstring describe parameters.
            **options: Fields of ``ToolOptions``; they override those of the decorator.

        Raises:
            ToolDefinitionError: A parameter is untyped or cannot be passed by name.
        """
        source = _innermost(function)
        noted = getattr(source, _OPTIONS, None) or ToolOptions()
        chosen: ToolOptions = replace(noted, **options)
        name = chosen.name or getattr(source, "__name__", None)
        if not isinstance(name, str):
            raise ToolDefinitionError(f"{function!r} has no name of its own; pass name=…")
        text, descriptions = split_docstring(source.__doc__ or "")
        parameters, validate = schema_from_signature(name, function, descriptions)
        return cls(
            name=name,
            description=text if chosen.description is None else chosen.description,
            parameters=parameters,
            function=function,
            validate=validate,
            timeout_s=chosen.timeout_s,
            max_parallel=chosen.max_parallel,
            executor=chosen.executor,
            critical=chosen.critical,
        )

    @property
    def schema(self) -> dict[str, object]:
        """The schema of the tool in a request."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}


@overload
def tool(function: Decorated, /) -> Decorated: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    max_parallel: int | None = None,
    executor: Executor | None = None,
    critical: bool = False,
) -> Callable[[Decorated], Decorated]: ...


def tool(function: Function | None = None, /, **options: Any) -> Any:
    """Store on a function how an agent offers and runs it; the function stays as it is.

    Used bare (``@tool``) or with fields of ``ToolOptions`` (``@tool(timeout_s=5)``), on plain
    and async functions and on methods, of which the bound form is the tool.

    Raises:
        ToolDefinitionError: What is decorated is not a function written in Python.
    """
    stored = ToolOptions(**options)

    def note(function: Decorated) -> Decorated:
        # On a class or static method it may stand above or below the other decorator.
        wraps = isinstance(function, classmethod | staticmethod)
        try:
            setattr(getattr(function, "__func__") if wraps else function, _OPTIONS, stored)  # noqa: B009 - for the type checker
        except AttributeError as error:
            raise ToolDefinitionError(
                f"@tool cannot be applied to {function!r}, whose attributes cannot be set; "
                "wrap it in a function"
            ) from error
        return function

    return note if function is None else note(function)


def as_tool(offered: object) -> Tool:
    """Return a tool as it is, and a function as a tool.

    Raises:
        ToolDefinitionError: The object is neither, or not usable as a tool.
    """
    if isinstance(offered, Tool):
        return offered
    if callable(offered) and not isinstance(offered, type):
        return Tool.from_function(offered)
    raise ToolDefinitionError(
        f"{offered!r} is not a tool; expected a typed function or a Tool, one or a list of them"
    )


def _innermost(function: Function) -> Function:
    while isinstance(function, functools.partial):
        function = function.func
    return function
