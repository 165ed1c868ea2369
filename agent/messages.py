"""The values that pass between the model, the conversation, its driver and the caller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the model counted; adding two gives their sum.

    Attributes:
        prompt_tokens: What was sent to it, including what it had cached.
        completion_tokens: What it wrote.
        cached_prompt_tokens: The part of the prompt that it had cached, and bills for less.
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
        id: The model's name for this call; its result must carry it.
        name: Name of the tool, as the model wrote it.
        arguments: The arguments as the model wrote them: JSON, if all is well.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What one call gave: the tool's result, or an error the model can correct.

    Attributes:
        call_id: The call that it answers.
        text: What the model reads.
        failed: Whether it is an error.
    """

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """One answer of the model.

    Attributes:
        text: What it says; often ``None`` beside tool calls.
        refusal: Why it will not answer, if it will not.
        tool_calls: The calls that it asks for; an answer without any is final.
        finish_reason: Why it stopped: ``stop``, ``tool_calls``, ``length``, …
        usage: Tokens of this answer; zero where the server does not count.
    """

    text: str | None
    refusal: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chat ends with; as a string, its text.

    Attributes:
        text: The final text; empty if the model gave none.
        rounds: Calls of the model that it took.
        usage: Tokens of all of them together.
        finish_reason: Why the last one stopped: ``length`` means that the text is cut off.
        refusal: The model's words if it refused, else ``None``.
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
    """What an autonomous run ends with.

    Attributes:
        task_completed: Whether the model declared the task complete.
        answer: What it declared as the result; without a declaration, its last words.
        iterations_used: Calls of the model that it took.
        execution_time: Seconds from the task to the result.
        usage: Tokens of all calls together.
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
    """A stream's event: the model has written a whole call, which runs now."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A stream's event: a call of the model has its result."""

    call: ToolCall
    result: ToolResult


@dataclass(frozen=True, slots=True)
class Finished:
    """A stream's last event: the answer, whole."""

    answer: Answer


StreamEvent = TextDelta | ToolStarted | ToolEnded | Finished
