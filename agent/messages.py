"""The values that pass between the model, the conversation, its driver and the caller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the model counted; adding two counts gives their sum.

    Attributes:
        prompt_tokens: Tokens of the prompt, including those that the model had cached.
        completion_tokens: Tokens of the answer.
        cached_prompt_tokens: Tokens of the prompt that the model had cached, and bills for less.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_prompt_tokens + other.cached_prompt_tokens,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model asks for.

    Attributes:
        id: The model's identifier of this call, which the result must carry.
        name: Name of the tool, as the model wrote it.
        arguments: The arguments as the model wrote them, which should be JSON.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The outcome of one call: the tool's result, or an error that the model can correct.

    Attributes:
        call_id: Identifier of the call that this answers.
        text: The text that the model reads.
        failed: Whether the result is an error.
    """

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """One answer of the model.

    Attributes:
        text: The text of the answer; often ``None`` beside tool calls.
        refusal: The reason of a refusal, if the model refused.
        tool_calls: The calls that the answer asks for; an answer without any is final.
        finish_reason: Why the model stopped: ``stop``, ``tool_calls``, ``length``, …
        usage: Tokens of this request and answer; zero where the server does not count.
    """

    text: str | None
    refusal: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a chat; as a string, its text.

    Attributes:
        text: The final text; empty if the model gave none.
        rounds: Calls of the model in this chat.
        usage: Tokens of all these calls.
        finish_reason: Why the last call stopped: ``length`` means that the text is cut off.
        refusal: The reason of a refusal, if the model refused, else ``None``.
    """

    text: str
    rounds: int
    usage: Usage
    finish_reason: str
    refusal: str | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of an autonomous run.

    Attributes:
        task_completed: Whether the model declared the task complete.
        answer: The declared result; without a declaration, the model's last text.
        iterations_used: Calls of the model in this run.
        execution_time: Seconds from the task to the result.
        usage: Tokens of all calls.
    """

    task_completed: bool
    answer: str
    iterations_used: int
    execution_time: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A stream's event: the model wrote a piece of its text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A stream's event: the model has written a complete call, which runs now."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A stream's event: a call of the model has its result."""

    call: ToolCall
    result: ToolResult


@dataclass(frozen=True, slots=True)
class Finished:
    """A stream's last event: the complete answer."""

    answer: Answer


StreamEvent = TextDelta | ToolStarted | ToolEnded | Finished
