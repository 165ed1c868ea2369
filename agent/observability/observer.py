"""The seam through which an agent can be watched; where nobody does, it costs nothing.

An agent asks its observer for a session, and that session for what happens inside. Each of
these is entered when it begins and left when it ends, with the error if it failed.
``opentelemetry`` has the observer that speaks OpenTelemetry, which is the default if the program
uses that.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Protocol, Self

from ..messages import ModelAnswer, ToolResult
from ..tools.invocation import Invocation


class ChatSpan(Protocol):
    """One call of the model, with its retries."""

    def active(self) -> AbstractContextManager[object]:
        """Make it the parent of whatever is watched inside (the HTTP client, say)."""
        ...

    def first_token(self) -> None:
        """Take note that a streamed answer has begun."""
        ...

    def answered(self, answer: ModelAnswer) -> None:
        """Take the answer."""
        ...


class ToolSpan(Protocol):
    """One run of a tool."""

    def active(self) -> AbstractContextManager[object]:
        """Make it the parent of whatever is watched inside: what the tool itself does."""
        ...

    def ended(self, result: ToolResult) -> None:
        """Take the result."""
        ...


class SessionSpan(Protocol):
    """One chat, task or stream of an agent."""

    def chat(self) -> AbstractContextManager[ChatSpan]:
        """Begin a call of the model."""
        ...

    def execute_tool(self, invocation: Invocation) -> AbstractContextManager[ToolSpan]:
        """Begin a run of a tool."""
        ...


class Observer(Protocol):
    """Watches an agent."""

    def invoke_agent(self, agent: str, model: str) -> AbstractContextManager[SessionSpan]:
        """Begin a session."""
        ...


class _Nobody:
    """Every observer in one: it begins itself, ends nothing and notes nothing."""

    __slots__ = ()

    def invoke_agent(self, agent: str, model: str) -> Self:  # noqa: ARG002
        return self

    def chat(self) -> Self:
        return self

    def execute_tool(self, invocation: Invocation) -> Self:  # noqa: ARG002
        return self

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def first_token(self) -> None:
        pass

    def answered(self, answer: ModelAnswer) -> None:
        pass

    def ended(self, result: ToolResult) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


NOBODY: Observer = _Nobody()
"""The observer of an agent that nobody watches."""


class UsualObserver:
    """What watches an agent that was given no observer: OpenTelemetry, if the program uses it.

    Only a program that has imported OpenTelemetry can have configured it. So this need not
    import it, which takes longer than many a session.
    """

    def __init__(self) -> None:
        self._telemetry: Observer | None = None

    def invoke_agent(self, agent: str, model: str) -> AbstractContextManager[SessionSpan]:
        """Begin a session."""
        if self._telemetry is None:
            if "opentelemetry" not in sys.modules:
                return NOBODY.invoke_agent(agent, model)
            from .opentelemetry import OpenTelemetry  # noqa: PLC0415 - only where it is there

            self._telemetry = OpenTelemetry()
        return self._telemetry.invoke_agent(agent, model)
