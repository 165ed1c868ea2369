"""The interface for watching an agent; without an observer it costs nothing.

An agent asks its observer for a session, and that session for what happens inside. Each of
these is entered at its start and left at its end, with the error if it failed.
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
        """Make this call the parent of whatever is watched inside, such as the HTTP client."""
        ...

    def first_token(self) -> None:
        """Record that a streamed answer has started."""
        ...

    def answered(self, answer: ModelAnswer) -> None:
        """Record the model's answer."""
        ...


class ToolSpan(Protocol):
    """One run of a tool."""

    def active(self) -> AbstractContextManager[object]:
        """Make this run the parent of whatever is watched inside: the work of the tool itself."""
        ...

    def ended(self, result: ToolResult) -> None:
        """Record the tool's result."""
        ...


class SessionSpan(Protocol):
    """One chat, task or stream of an agent."""

    def chat(self) -> AbstractContextManager[ChatSpan]:
        """Start a call of the model."""
        ...

    def execute_tool(self, invocation: Invocation) -> AbstractContextManager[ToolSpan]:
        """Start a run of a tool."""
        ...


class Observer(Protocol):
    """Watches an agent."""

    def invoke_agent(self, agent: str, model: str) -> AbstractContextManager[SessionSpan]:
        """Begin a session."""
        ...


class _Nobody:
    """Every observer in one: each method returns the object itself and records nothing."""

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
"""The observer of an agent that is not watched."""


class UsualObserver:
    """The default observer: OpenTelemetry, if the program uses it.

    Only a program that has imported OpenTelemetry can have configured it. So this module need not
    import OpenTelemetry, which takes longer than many a session.
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
