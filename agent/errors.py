"""The errors of the agent: one small tree, rooted in ``AgentError``.

    AgentError
    ├── SettingsError            the agent cannot be built with these settings
    │   └── ToolDefinitionError  a tool cannot be offered as it was given
    ├── ToolArgumentsError       a tool call is wrong; fed back to the model, not raised
    ├── ModelAnswerError         an answer of the model is not what its API promises
    ├── MaxRoundsError           the model still asks for tools at the limit
    ├── RunningLoopError         the sync agent was asked to run async tools inside an event loop
    └── ConversationError        a driver fed a conversation out of turn

Errors of the API itself (status, connection, timeout) stay those of the ``openai`` package.
"""


class AgentError(Exception):
    """Root of every error that the agent raises on purpose."""


class SettingsError(AgentError):
    """The agent cannot be built with these settings; the message names the one at fault."""


class ToolDefinitionError(SettingsError):
    """A tool cannot be offered as it was given; the message names the tool and the remedy."""


class ToolArgumentsError(AgentError):
    """The arguments of a tool call are wrong; the message is written for the model."""


class ModelAnswerError(AgentError):
    """An answer of the model is malformed; the message names the field and what was found."""


class MaxRoundsError(AgentError):
    """The model still asks for tools after the last round that it was allowed.

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


class RunningLoopError(AgentError):
    """The sync agent has async tools but was called inside a running event loop."""


class ConversationError(AgentError):
    """A conversation was asked or told something out of turn: a mistake in its driver."""
