"""What a session asks a service that is the target: the request, and where its answer stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PLACEHOLDERS = ("task", "session", "turn")
"""What ``{…}`` stands for in a request: the task, the number of the session, that of the turn."""

MAX_TURNS = 1_000

USUAL_FIELDS = ("answer", "output", "response", "reply", "text", "message", "content")
"""Where services have their answer, in a JSON object; the first that is there counts."""


class BodyKind(StrEnum):
    """In which form a request has its body."""

    NONE = "none"
    JSON = "json"
    FORM = "form"
    TEXT = "text"


class AnswerKind(StrEnum):
    """How the text that the user sees is read from the body of an answer."""

    AUTO = "auto"
    """By its content type: the data of events, one of the usual fields of JSON, or the text."""

    TEXT = "text"
    """The body, as it comes."""

    JSON = "json"
    """A value of a JSON document, by a JSON pointer (RFC 6901)."""

    EVENTS = "sse"
    """The data of server-sent events, as they come."""


@dataclass(frozen=True, slots=True)
class AnswerSpec:
    """How the text that the user sees is read from the body of an answer.

    Attributes:
        kind: In which way.
        pointer: The parts of a JSON pointer into the document, or into the data of each event;
            ``None``: the whole of it.
    """

    kind: AnswerKind = AnswerKind.AUTO
    pointer: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """What a session asks, in each of its turns; texts may hold placeholders.

    Attributes:
        method: HTTP method, in capitals.
        path: Path of the address, with a query if there is one.
        headers: Headers beside the usual ones, or in their place.
        body_kind: In which form the body is sent.
        body: The body: any value of JSON, a mapping of text to text for a form, or text.
        answer: Where the answer's text stands.
        turns: How many requests a session sends, one after another.
    """

    method: str = "POST"
    path: str = "/chat"
    headers: Mapping[str, str] = field(default_factory=dict)
    body_kind: BodyKind = BodyKind.JSON
    body: object = field(default_factory=lambda: {"message": "{task}"})
    answer: AnswerSpec = AnswerSpec()
    turns: int = 1


USUAL_REQUEST = RequestSpec()
