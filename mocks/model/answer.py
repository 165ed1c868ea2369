"""The values between the script and the wire: what a request asks, and what is answered.

They are independent of any API. A ``WireFormat`` translates: one file each.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

import msgspec

from ..workload.marks import LENGTH, marks_in
from .answer_options import AS_USUAL, AnswerOptions, ToolMode

_LOOKED_AT = 2 * LENGTH
"""Characters at the beginning of a message in which the mark of its text stands."""


class UnusableRequestError(Exception):
    """The request is not valid for the API; the message says why."""


class Place(NamedTuple):
    """A model call of what plays a script.

    Attributes:
        number: Number of the session or conversation (see ``workload.numbers``).
        step: Which of its model calls.
    """

    number: int
    step: int


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


class Said(msgspec.Struct, frozen=True):
    """A message of an API that writes them in another way."""

    role: str
    content: str


class Question(msgspec.Struct, frozen=True):
    """The content of a request.

    Attributes:
        model: Name of the model; ``None`` if the body does not name it.
        tools: JSON schema of the arguments of each declared tool, by name.
        messages: The messages that the request holds.
        system: What it asks of the model beside them, if its API has a place of its own for that.
        newest: Where the newest answer of the mock stands that the request holds, or continues.
        answers: Number of the model's answers that it holds beyond ``newest``.
        streamed: Whether the answer is to come in pieces.
        counts_usage: Whether the last piece is to count the tokens.
        is_kept: Whether the server keeps the conversation, so that what continues it does not
            declare the tools anew.
        options: What the request asks of the form of its answer.
        wrong: What it holds for which the real API refuses it, if anything.
    """

    model: str | None
    tools: Mapping[str, Mapping[str, object]]
    messages: Sequence[Message] = ()
    system: Any = None
    newest: Place | None = None
    answers: int = 0
    streamed: bool = False
    counts_usage: bool = True
    is_kept: bool = False
    options: AnswerOptions = AS_USUAL
    wrong: tuple[str, ...] = ()

    @property
    def may_ask_for_tools(self) -> bool:
        """Whether its answer may ask for tools: some are declared, and it does not forbid them."""
        return bool(self.tools) and self.options.tool_mode is not ToolMode.NONE


_OUR_IDENTIFIER = re.compile(r"(?:chatcmpl-|(?:call|toolu|msg|resp|fc)_)(-?\d+)_(\d+)")
_MODELS = "assistant"


def place_in(identifier: object) -> Place | None:
    """Return the place that an identifier of an answer, or of a part of one, names."""
    if not isinstance(identifier, str):
        return None
    found = _OUR_IDENTIFIER.match(identifier)
    return None if found is None else Place(int(found[1]), int(found[2]))


def required_place_in(identifier: str | None) -> Place | None:
    """Return the place that the identifier of an earlier answer names; ``None`` if it is missing.

    Raises:
        UnusableRequestError: It is the identifier of no answer of the mock.
    """
    place = place_in(identifier)
    if place is None and identifier:
        raise UnusableRequestError("the conversation that it continues is not known here")
    return place


def place_of_text(content: object) -> Place | None:
    """Return the place of the answer whose text a message repeats, by its provenance mark."""
    text = text_of_content(content)
    mark = next(marks_in(text[:_LOOKED_AT].encode(errors="replace")), None)
    return None if mark is None or mark.part else Place(mark.number, mark.step)


def text_of_content(content: object) -> str:
    """Return the text of a message's content, of whatever form."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))


def answers_in(messages: Sequence[Message]) -> int:
    """Return how many answers of the model there are among messages."""
    return [message.role for message in messages].count(_MODELS)


def opening_of(question: Question) -> Iterator[tuple[str, str]]:
    """Yield role and text of the messages before the model's first answer."""
    if question.system is not None:
        yield "system", text_of_content(question.system)
    for message in question.messages:
        if message.role == _MODELS:
            return
        yield message.role or "", text_of_content(message.content)


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call that an answer asks for.

    Attributes:
        name: Name of the tool, as the request declares it.
        arguments: JSON text.
        is_labs: Whether it is one of the lab's tools, which has a ticket.
    """

    name: str
    arguments: str
    is_labs: bool = False


class Ending(Enum):
    """Why an answer ends where it does."""

    COMPLETE = "the model said all"
    LENGTH = "the greatest number of tokens was reached"
    STOP = "a text before which it is to end came"


class Answer(msgspec.Struct, frozen=True):
    """The model's answer: text, or tool calls.

    Attributes:
        session: Number of the session or conversation that asked.
        step: Which model call of that is answered.
        model: Name of the model.
        text: The text; empty if the answer asks for tools.
        tool_uses: The tool calls that the answer asks for.
        prompt_tokens: Tokens of the prompt, as the script declares them, or as they were counted.
        completion_tokens: Tokens of the answer, as the script declares them, or fewer if it ends
            early.
        mark_characters: How many characters of the text are its provenance mark.
        ending: Why it ends where it does.
        stopped_by: The text before which it ended; empty if none came.
        others: The further answers to a request that asks for several.
        cached_tokens: Tokens of the prompt that the server had in its prefix cache.
    """

    session: int
    step: int
    model: str
    text: str
    tool_uses: tuple[ToolUse, ...]
    prompt_tokens: int
    completion_tokens: int
    mark_characters: int = 0
    ending: Ending = Ending.COMPLETE
    stopped_by: str = ""
    others: tuple["Answer", ...] = ()
    cached_tokens: int = 0

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
    """Cut an answer into about as many fragments as it has pieces, at least one a block.

    A provenance mark is whole, and takes no piece of its own.
    """
    mark = answer.text[: answer.mark_characters]
    blocks = [use.arguments for use in answer.tool_uses] or [answer.text[len(mark) :]]
    size = max(1, -(-sum(len(block) for block in blocks) // pieces))
    cut = [
        [block[start : start + size] for start in range(0, len(block), size)] or [""]
        for block in blocks
    ]
    cut[0][0] = mark + cut[0][0]
    return Fragments(tuple(tuple(block) for block in cut))


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
        name: Name of the API, in a path's words.
        path: The end of the path of the API's requests. Its group ``model``, if it has one, names
            the model where the body does not.
        request_id_header: The header in which an answer names its request, if there is one.
        read: Reads the body of a request. Raises ``ValueError``, or ``RecursionError``, if
            it is none.
        whole: The JSON of an answer that comes as a whole.
        stream: The events of one that comes in pieces: the answer, its fragments, and
            whether the last counts the tokens.
        error: The JSON of an error: HTTP status, what is wrong.
        limit_headers: The headers that report rate limits.
        prompt_fields: The fields of a request that hold its texts, in the order in which a model
            reads them.
        query: A parameter that the query of the API's requests has.
        always_streams: Whether every answer comes in pieces, whatever the body says.
        stream_type: Content type of an answer that comes in pieces.
    """

    name: str
    path: re.Pattern[str]
    request_id_header: str | None
    read: Callable[[bytes], Question]
    whole: Callable[[Answer], object]
    stream: Callable[[Answer, Fragments, bool], Iterable[Event]]
    error: Callable[[int, str], object]
    limit_headers: Callable[[Allowances], dict[str, str]]
    prompt_fields: tuple[str, ...]
    query: str = ""
    always_streams: bool = False
    stream_type: str = "text/event-stream; charset=utf-8"


def numbered(blocks: Sequence[Sequence[str]]) -> list[list[tuple[int, str]]]:
    """Number the fragments of all blocks in one row."""
    rows: list[list[tuple[int, str]]] = []
    count = 0
    for block in blocks:
        rows.append([(count + index, fragment) for index, fragment in enumerate(block)])
        count += len(block)
    return rows
