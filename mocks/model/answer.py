"""The values between the script and the wire: what a request asks, and what is answered.

They know nothing of any API. A ``WireFormat`` translates: one file each for chat
completions, responses and messages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec


class UnusableRequestError(Exception):
    """The request is not one that the API knows; the message says why."""


class Question(msgspec.Struct, frozen=True):
    """What a request asks.

    Attributes:
        model: Name of the model.
        step: How many answers it holds already: which model call of its session it is.
        tools: JSON schema of the arguments of each declared tool, by name.
        streamed: Whether the answer shall come in pieces.
        counts_usage: Whether the last piece shall count the tokens.
        session: The session, where the request names an earlier answer in place of the prompt.
        prompt: The first message of the person.
    """

    model: str
    step: int
    tools: Mapping[str, Mapping[str, object]]
    streamed: bool = False
    counts_usage: bool = True
    session: int | None = None
    prompt: str = ""


class Message(Protocol):
    """What is said in a conversation, as far as every API has it."""

    @property
    def role(self) -> str | None:
        """Who says it."""
        ...

    @property
    def content(self) -> Any:
        """What is said: text, or a list of parts."""
        ...


def first_prompt(messages: Iterable[Message]) -> str:
    """Return the first message of the person, as text whatever its form."""
    for message in messages:
        if message.role == "user":
            return str(message.content)
    return ""


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call that an answer asks for; ``arguments`` is JSON text."""

    name: str
    arguments: str


class Answer(msgspec.Struct, frozen=True):
    """What the model says: text, or tool calls.

    Attributes:
        session: The session that asked.
        step: Which of its model calls this answers.
        model: Name of the model.
        text: The text; empty if it asks for tools.
        tool_uses: What it asks for.
        prompt_tokens: Tokens that the model is said to have read.
        completion_tokens: Tokens that it is said to have written.
    """

    session: int
    step: int
    model: str
    text: str
    tool_uses: tuple[ToolUse, ...]
    prompt_tokens: int
    completion_tokens: int

    @property
    def tag(self) -> str:
        """What its identifiers end with: unique in a trial."""
        return f"{self.session}_{self.step}"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a streamed answer.

    Attributes:
        data: Its bytes, as they are sent.
        fragment: The fragment that it carries or goes along with; ``None``: the end.
    """

    data: bytes
    fragment: int | None


@dataclass(frozen=True, slots=True)
class Fragments:
    """What a streamed answer is cut into: the text, or the arguments of each tool call.

    Attributes:
        blocks: The fragments of each block, a block being the text or a tool call.
    """

    blocks: tuple[tuple[str, ...], ...]

    @property
    def count(self) -> int:
        """Fragments in all."""
        return sum(len(block) for block in self.blocks)


def fragments_of(answer: Answer, pieces: int) -> Fragments:
    """Cut an answer into about as many fragments as it has pieces, at least one a block."""
    blocks = [use.arguments for use in answer.tool_uses] or [answer.text]
    size = max(1, -(-sum(len(block) for block in blocks) // pieces))
    return Fragments(
        tuple(
            tuple(block[start : start + size] for start in range(0, len(block), size)) or ("",)
            for block in blocks
        )
    )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate limit.

    Attributes:
        limit: Requests or tokens a minute.
        remaining: How many more there may be now.
        reset_s: Seconds until all of them are there again.
    """

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Allowances:
    """What is left of the model's rate limits; ``None`` where there is none."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One API of a model: how it is asked, and how it answers.

    Attributes:
        path: What the path of its requests ends with.
        request_id_header: In which header an answer says what its request is called.
        read: Reads the body of a request. Raises ``ValueError``, or ``RecursionError``, if
            it is none.
        whole: The JSON of an answer that comes as a whole.
        stream: The events of one that comes in pieces: the answer, its fragments, and
            whether the last counts the tokens.
        error: The JSON of an error: HTTP status, what is wrong.
        limit_headers: The headers that tell of rate limits.
    """

    path: str
    request_id_header: str
    read: Callable[[bytes], Question]
    whole: Callable[[Answer], object]
    stream: Callable[[Answer, Fragments, bool], Iterable[Event]]
    error: Callable[[int, str], object]
    limit_headers: Callable[[Allowances], dict[str, str]]


def numbered(blocks: Sequence[Sequence[str]]) -> list[list[tuple[int, str]]]:
    """Number the fragments of all blocks in one row."""
    rows: list[list[tuple[int, str]]] = []
    count = 0
    for block in blocks:
        rows.append([(count + index, fragment) for index, fragment in enumerate(block)])
        count += len(block)
    return rows
