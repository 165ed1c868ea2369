"""Reads the text that a user sees from the body of an answer, as it comes: no input or output."""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...mocks.errors import ServiceError
from ...mocks.scenario.request import USUAL_FIELDS, AnswerKind, AnswerSpec

_FIRST_REFUSED = 400
_MOST_SHOWN = 200
"""Characters of a refused answer's body, or of one that lacks what it is to have, in an error."""

_END_OF_EVENTS = "[DONE]"
"""What APIs of models, and services after their manner, send as their last event."""

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answers before the body.

    Attributes:
        status: HTTP status.
        content_type: Content type, or empty text.
    """

    status: int
    content_type: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The encoding of texts; UTF-8 unless a known one is named."""
        named = re.search(r"charset=\"?([\w.:-]+)", self.content_type)
        try:
            return "utf-8" if named is None else codecs.lookup(named[1]).name
        except LookupError:
            return "utf-8"


class Reader(Protocol):
    """Reads a body."""

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the texts that are whole with these bytes."""
        ...

    def end(self) -> Iterator[str]:
        """Yield what is left at the end of the body.

        Raises:
            ServiceError: The answer lacks what it is to have, or its status refuses the request.
        """
        ...


def reader_of(spec: AnswerSpec, answer: Answer) -> Reader:
    """Return what reads the body of an answer."""
    if answer.status >= _FIRST_REFUSED:
        return _Refused(answer)
    kind = spec.kind
    if kind is AnswerKind.AUTO:
        kind = _kind_by_type(answer.media_type)
        if kind is AnswerKind.JSON:
            return _Json(answer, None)
    if kind is AnswerKind.EVENTS:
        return _Events(spec.pointer)
    return _Json(answer, spec.pointer or ()) if kind is AnswerKind.JSON else _Text(answer)


def _kind_by_type(media_type: str) -> AnswerKind:
    if media_type == "text/event-stream":
        return AnswerKind.EVENTS
    is_json = media_type == "application/json" or media_type.endswith("+json")
    return AnswerKind.JSON if is_json else AnswerKind.TEXT


class _Text:
    """The body as it comes; a character that is cut in two comes with its second part."""

    def __init__(self, answer: Answer) -> None:
        self._decoder = codecs.getincrementaldecoder(answer.charset)("replace")

    def feed(self, data: bytes) -> Iterator[str]:
        text = self._decoder.decode(data)
        if text:
            yield text

    def end(self) -> Iterator[str]:
        text = self._decoder.decode(b"", final=True)
        if text:
            yield text


class _Whole:
    """Keeps the body until its end."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[str]:
        self._parts.append(data)
        yield from ()

    def _text(self) -> str:
        return b"".join(self._parts).decode(self._answer.charset, "replace")


class _Refused(_Whole):
    def end(self) -> Iterator[str]:
        yield from ()
        body = self._text()[:_MOST_SHOWN].strip()
        raise ServiceError(
            f"the service answered status {self._answer.status}: {body or 'no body'}"
        )


class _Json(_Whole):
    """A value of a document: by a pointer, or one of the usual fields."""

    def __init__(self, answer: Answer, pointer: Sequence[str] | None) -> None:
        super().__init__(answer)
        self._pointer = pointer

    def end(self) -> Iterator[str]:
        text = self._text()
        try:
            document = json.loads(text)
        except ValueError:
            if self._pointer is None:
                yield text
                return
            raise ServiceError(f"the answer is no JSON, it begins {text[:_MOST_SHOWN]!r}") from None
        yield (
            _usual_text(document, text)
            if self._pointer is None
            else as_text(_required(document, self._pointer, text))
        )


class _Events:
    """The data of server-sent events, event by event, as the HTML standard has them."""

    def __init__(self, pointer: Sequence[str] | None) -> None:
        # The standard says UTF-8, whatever the header says.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._pointer = pointer
        self._rest = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[str]:
        yield from self._read(self._decoder.decode(data))

    def end(self) -> Iterator[str]:
        # An event without its blank line is not whole: browsers leave it out, many clients do not.
        yield from self._read(self._decoder.decode(b"", final=True) + "\n\n")

    def _read(self, text: str) -> Iterator[str]:
        self._rest += text
        while (found := _LINE_END.search(self._rest)) is not None:
            if found[0] == "\r" and found.end() == len(self._rest):
                return  # the other half of a line's end may come yet
            line, self._rest = self._rest[: found.start()], self._rest[found.end() :]
            if line:
                name, _, value = line.partition(":")
                if name == "data":
                    self._data.append(value.removeprefix(" "))
            elif self._data:
                data, self._data = "\n".join(self._data), []
                yield from self._texts_of(data)

    def _texts_of(self, data: str) -> Iterator[str]:
        if data == _END_OF_EVENTS:
            return
        if self._pointer is None:
            yield data
            return
        try:
            yield as_text(at_pointer(json.loads(data), self._pointer))
        except (ValueError, LookupError):
            return  # an event of another kind


def at_pointer(document: Any, pointer: Sequence[str]) -> Any:
    """Return the value that the parts of a JSON pointer (RFC 6901) lead to.

    Raises:
        LookupError: There is none.
    """
    for part in pointer:
        if isinstance(document, list) and re.fullmatch(r"0|[1-9]\d{0,9}", part):
            document = document[int(part)]
        elif isinstance(document, dict):
            document = document[part]
        else:
            raise LookupError(part)
    return document


def as_text(value: object) -> str:
    """Return a value of JSON as a user sees it: text as it is, nothing for null, else JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _usual_text(document: object, text: str) -> str:
    if isinstance(document, str):
        return document
    if isinstance(document, dict):
        found = (document[name] for name in USUAL_FIELDS if isinstance(document.get(name), str))
        return next(found, text)
    return text


def _required(document: object, pointer: Sequence[str], text: str) -> object:
    try:
        return at_pointer(document, pointer)
    except LookupError:
        written = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in pointer)
        raise ServiceError(
            f"the answer has no {written}, it begins {text[:_MOST_SHOWN]!r}"
        ) from None
