"""The values that all sessions of one agent share while they run."""

from concurrent.futures import Executor
from dataclasses import dataclass

import openai

from ..errors import SessionTimeoutError
from ..observability.observer import Observer
from ..policies.counters import Meter
from ..policies.limiter import Slots
from ..policies.retry import RetryPolicy
from .sdk import timed_out

PATH = "/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The agent's settings, as far as the drivers need them.

    Attributes:
        name: Name of the agent, for the observer.
        model: Name of the model, for the observer.
        threads: The threads for plain tools that have no executor of their own.
        processes: The processes for plain tools instead, if the agent has any.
        retry: When a failed call of the model is retried.
        call_timeout_s: Seconds that one attempt at a call of the model may take.
        session_timeout_s: Seconds that a session may take.
        model_limiter: Limits the concurrent calls of the model.
        tool_limiter: Limits the concurrent calls of tools.
        meter: Counts calls and tokens.
        observer: Watches the sessions.
    """

    name: str
    model: str
    threads: Executor
    processes: Executor | None
    retry: RetryPolicy
    call_timeout_s: float | None
    session_timeout_s: float | None
    model_limiter: Slots
    tool_limiter: Slots
    meter: Meter
    observer: Observer

    @property
    def executor(self) -> Executor:
        """The executor of plain tools that have none of their own."""
        return self.processes or self.threads

    def session_timed_out(self) -> SessionTimeoutError:
        """Make the error of a session that took too long."""
        return SessionTimeoutError(
            f"the session took longer than {self.session_timeout_s:g} seconds "
            "(session_timeout_s); its tools were cancelled"
        )


def call_timed_out(client: openai.OpenAI | openai.AsyncOpenAI) -> openai.APITimeoutError:
    """Make the SDK's own error for a call of the model that took too long."""
    return timed_out(client, PATH)
