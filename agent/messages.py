"""The values that pass between the model, the conversation and its driver."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the model counted; adding two gives their sum."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
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
    """What one call gave: the tool's result, or an error the model can correct."""

    call_id: str
    text: str


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
    """What a session ends with.

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
