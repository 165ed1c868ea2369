"""The tools of an agent by name: a value, and the registry that holds the current one."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..errors import SettingsError, ToolArgumentsError, ToolDefinitionError
from ..messages import ToolCall, ToolResult
from .invocation import Invocation, is_awaited
from .tool import Function, Tool, as_tool

Offered = Tool | Function | Iterable[Tool | Function]
"""A tool, a typed function, or a list of them: whatever can be registered."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Tools by name, in the order of registration; immutable, shared by sessions.

    Attributes:
        tools: The tools by their names.
        has_async: Whether any of the tools is async.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)
    has_async: bool = field(init=False)
    _awaited: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        awaited = frozenset(name for name, tool in self.tools.items() if is_awaited(tool.function))
        object.__setattr__(self, "tools", MappingProxyType(dict(self.tools)))
        object.__setattr__(self, "_awaited", awaited)
        object.__setattr__(self, "has_async", bool(awaited))

    def having(self, tools: Iterable[Tool]) -> "Toolbox":
        """Return a toolbox with these besides.

        Raises:
            ToolDefinitionError: Two would have the same name.
        """
        together = dict(self.tools)
        for tool in tools:
            if tool.name in together:
                raise ToolDefinitionError(f"two tools are named {tool.name!r}; rename one")
            together[tool.name] = tool
        return Toolbox(together)

    def without(self, names: Iterable[str]) -> "Toolbox":
        """Return a toolbox that lacks these.

        Raises:
            SettingsError: There is no tool of such a name.
        """
        left = dict(self.tools)
        for name in names:
            if left.pop(name, None) is None:
                raise SettingsError(f"there is no tool {name!r}; the tools are {sorted(left)}")
        return Toolbox(left)

    def prepare(self, call: ToolCall) -> Invocation | ToolResult:
        """Check a call; a call that cannot run gets an error result that says how to correct it."""
        tool = self.tools.get(call.name)
        if tool is None:
            known = f"the tools are {sorted(self.tools)}" if self.tools else "there are no tools"
            return _refused(call, f"there is no tool {call.name!r}; {known}")
        assert tool.validate is not None  # set by the tool itself
        try:
            # Some models write nothing where a tool takes no arguments.
            arguments = tool.validate(call.arguments or "{}")
        except ToolArgumentsError as error:
            return _refused(call, f"wrong arguments for {call.name!r}: {error}")
        return Invocation(call, tool, arguments, call.name in self._awaited)


class ToolRegistry:
    """Holds the current toolbox; tools come and go while sessions run.

    Each session sees a change at its next request to the model. Threads may register tools.
    """

    def __init__(self, offered: Offered = ()) -> None:
        self._changing = threading.Lock()
        self._toolbox = Toolbox()
        self.register(offered)

    @property
    def current(self) -> Toolbox:
        """The tools of this moment."""
        return self._toolbox

    def register(self, offered: Offered) -> None:
        """Add a tool or a list of tools; if one is unusable, none is added.

        Raises:
            ToolDefinitionError: A tool is not usable, or its name is taken.
        """
        tools = [as_tool(each) for each in _each(offered)]
        with self._changing:
            self._toolbox = self._toolbox.having(tools)

    def unregister(self, *names: str) -> None:
        """Remove tools; their running calls continue.

        Raises:
            SettingsError: There is no tool of such a name.
        """
        with self._changing:
            self._toolbox = self._toolbox.without(names)


def _each(offered: object) -> Iterable[object]:
    # A string is iterable too, but iterating over its letters would give a puzzling error.
    if isinstance(offered, Iterable) and not isinstance(offered, str):
        return offered
    return [offered]


def _refused(call: ToolCall, reason: str) -> ToolResult:
    return ToolResult(call.id, f"error: {reason}", failed=True)
