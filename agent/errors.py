"""The errors of the agent: one small tree, rooted in ``AgentError``.

    AgentError
    ├── SettingsError            the agent cannot be built or used with these settings
    │   ├── ToolDefinitionError  a tool cannot be offered as it was given
    │   └── WorkflowError        a workflow cannot be built as it was given
    ├── ToolArgumentsError       a tool call is wrong; fed back to the model, not raised
    ├── ToolFailedError          a tool marked as critical failed
    ├── StepFailedError          a step of a workflow failed, after its retries
    ├── ModelAnswerError         an answer of the model is not what its API promises
    ├── MaxRoundsError           the model still asks for tools at the limit
    ├── ContextTooLongError      the shortest request does not fit into ``context_tokens``
    ├── SessionTimeoutError      a session took longer than ``session_timeout_s``
    ├── RunningLoopError         a sync method was called where an event loop runs
    └── ConversationError        a conversation is used by two turns, or a driver is wrong

Errors of the API itself (status, connection, timeout) stay those of the ``openai`` package.
"""


class AgentError(Exception):
    """Root of every error that the agent raises on purpose."""


class SettingsError(AgentError):
    """The agent cannot work with these settings; the message names the one at fault."""


class ToolDefinitionError(SettingsError):
    """A tool cannot be offered as it was given; the message names the tool and the remedy."""


class WorkflowError(SettingsError):
    """A workflow cannot be built as it was given; the message names the step."""


class ToolArgumentsError(AgentError):
    """The arguments of a tool call are wrong; the message is written for the model."""


class ToolFailedError(AgentError):
    """A tool whose failure ends the session (``critical``) failed.

    The other tools of the same answer were cancelled, as far as possible.
    """


class StepFailedError(AgentError):
    """A step of a workflow failed after its last attempt; the step's error is the cause.

    Attributes:
        step: Name of the step.
    """

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"step {step!r} failed: {reason}")
        self.step = step
        self._reason = reason

    def __reduce__(self) -> tuple[type["StepFailedError"], tuple[str, str]]:
        """Pickle step and reason, not the message: errors travel between processes."""
        return (type(self), (self.step, self._reason))


class ModelAnswerError(AgentError):
    """An answer of the model is malformed; the message names the field and what was found."""


class MaxRoundsError(AgentError):
    """The model still asks for tools after the last allowed round.

    Attributes:
        max_rounds: The limit that was reached, in calls of the model.
    """

    def __init__(self, max_rounds: int) -> None:
        super().__init__(
            f"the model still asks for tools after {max_rounds} rounds (max_rounds={max_rounds}); "
            "raise max_rounds, or give the model a narrower task"
        )
        self.max_rounds = max_rounds

    def __reduce__(self) -> tuple[type["MaxRoundsError"], tuple[int]]:
        """Pickle by the limit, not the message: errors travel between processes."""
        return (type(self), (self.max_rounds,))


class ContextTooLongError(AgentError):
    """The shortest possible request does not fit into ``context_tokens``."""


class SessionTimeoutError(AgentError, TimeoutError):
    """A session took longer than ``session_timeout_s``."""


class RunningLoopError(AgentError):
    """A sync method was called in a thread that runs an event loop, which it would block."""


class ConversationError(AgentError):
    """A conversation is already in use, or a turn was used out of order."""
