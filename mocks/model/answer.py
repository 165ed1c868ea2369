"""The values between the script and the wire: what a request asks, and what is answered.

They are independent of any API. A ``WireFormat`` translates: one file each for chat
completions, responses and messages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec


class UnusableRequestError(Exception):
    """The request is not valid for the API; the message says why."""


class Question(msgspec.Struct, frozen=True):
    """The content of a request.

    Attributes:
        model: Name of the model.
        step: Number of answers that the request repeats: which model call of its session this is.
        tools: JSON schema of the arguments of each declared tool, by name.
        streamed: Whether the answer is to come in pieces.
        counts_usage: Whether the last piece is to count the tokens.
        session: Number of the session, if the request names an earlier answer, not the prompt.
        prompt: The first message of the user.
        is_kept: Whether the server keeps the conversation, so that what continues it does not
            declare the tools anew.
    """

    model: str
    step: int
    tools: Mapping[str, Mapping[str, object]]
    streamed: bool = False
    counts_usage: bool = True
    session: int | None = None
    prompt: str = ""
    is_kept: bool = False


class Message(Protocol):
    """A message of a conversation, as far as all APIs agree."""

    @property
    def role(self) -> str | None:
        """The role of the message's author."""
        ...

    @property
    def content(self) -> Any:
        """The content of the message: text, or a list of parts."""
        ...


def first_prompt(messages: Iterable[Message]) -> str:
    """Return the first message of the user, as text whatever its form."""
    for message in messages:
        if message.role == "user":
            return str(message.content)
    return ""


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call that an answer asks for; ``arguments`` is JSON text."""

    name: str
    arguments: str


class Answer(msgspec.Struct, frozen=True):
    """The model's answer: text, or tool calls.

    Attributes:
        session: Number of the session that asked.
        step: Which model call of that session is answered.
        model: Name of the model.
        text: The text; empty if the answer asks for tools.
        tool_uses: The tool calls that the answer asks for.
        prompt_tokens: Tokens of the prompt, as the script declares them.
        completion_tokens: Tokens of the answer, as the script declares them.
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
        """The suffix of the answer's identifiers, unique in a trial."""
        return f"{self.session}_{self.step}"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a streamed answer.

    Attributes:
        data: The bytes of the event, as they are sent.
        fragment: Index of the fragment that the event belongs to; ``None``: the end.
        has_tokens: Whether it carries tokens of the answer. What opens, frames and ends an answer
            carries none.
    """

    data: bytes
    fragment: int | None
    has_tokens: bool = False


@dataclass(frozen=True, slots=True)
class Fragments:
    """The fragments of a streamed answer: of its text, or of the arguments of each tool call.

    Attributes:
        blocks: The fragments of each block, a block being the text or a tool call.
    """

    blocks: tuple[tuple[str, ...], ...]

    @property
    def count(self) -> int:
        """The number of all fragments."""
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
    """The remaining allowance of a rate limit.

    Attributes:
        limit: Requests or tokens a minute.
        remaining: Requests or tokens that are allowed now.
        reset_s: Seconds until the whole limit is available again.
    """

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Allowances:
    """The remaining allowances of the model's rate limits; ``None`` where there is no limit."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One API of a model: how its requests are read and its answers written.

    Attributes:
        path: The end of the path of the API's requests.
        request_id_header: The header in which an answer names its request.
        read: Reads the body of a request. Raises ``ValueError``, or ``RecursionError``, if
            it is none.
        whole: The JSON of an answer that comes as a whole.
        stream: The events of one that comes in pieces: the answer, its fragments, and
            whether the last counts the tokens.
        error: The JSON of an error: HTTP status, what is wrong.
        limit_headers: The headers that report rate limits.
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
