"""Compiles the table of the request: checks, and fills in the defaults."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches

from .diagnostics import listed, refuse, shown, unknown
from .request import (
    PLACEHOLDERS,
    USUAL_REQUEST,
    AnswerKind,
    AnswerSpec,
    BodyKind,
    RequestSpec,
)
from .schema import RequestTable

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]{1,32})\}")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods whose requests have no body, unless one is declared."""

_ANSWERS = ("auto", "text", "json:/pointer", "sse:data", "sse:data:/pointer")


def request_of(table: RequestTable, turns: int) -> RequestSpec:
    """Return the request that a table declares.

    Args:
        table: The table.
        turns: How many turns a session has, unless the table says so.

    Raises:
        DeclarationError: It contradicts itself, or names what there is not.
    """
    method = table.method.upper()
    if not re.fullmatch(r"[A-Z]{1,20}", method):
        refuse("an HTTP method", shown(table.method), "request", "method")
    if not re.fullmatch(r"/[!-\"$-~]*", table.path):
        expected = "a path as /chat, in ASCII without spaces, perhaps with a query"
        refuse(expected, shown(table.path), "request", "path")
    for name, value in table.headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            refuse("the name of a header", shown(name), "request", "headers", name)
        if not (value.isascii() and value.isprintable()):
            refuse("one line of ASCII", shown(value), "request", "headers", name)
    kind, body = _body(table, method)
    for path, text in _texts(table.path, table.headers, body, kind):
        _require_placeholders(text, path)
    return RequestSpec(
        method=method,
        path=table.path,
        headers=dict(table.headers),
        body_kind=kind,
        body=body,
        answer=answer_of(table.answer),
        turns=table.turns or turns,
    )


def answer_of(declared: str) -> AnswerSpec:
    """Return where an answer's text stands, as a scenario says it.

    Raises:
        DeclarationError: It says nothing that is known.
    """
    kind, colon, where = declared.partition(":")
    if declared in {AnswerKind.AUTO, AnswerKind.TEXT}:
        return AnswerSpec(AnswerKind(declared))
    if kind == AnswerKind.JSON and colon:
        return AnswerSpec(AnswerKind.JSON, _pointer(where))
    if declared == "sse:data":
        return AnswerSpec(AnswerKind.EVENTS)
    if declared.startswith("sse:data:"):
        return AnswerSpec(AnswerKind.EVENTS, _pointer(declared.removeprefix("sse:data:")))
    return refuse(listed(_ANSWERS), unknown(declared, _ANSWERS), "request", "answer")


def _pointer(written: str) -> tuple[str, ...]:
    """Return the parts of a JSON pointer (RFC 6901)."""
    if (written and not written.startswith("/")) or re.search(r"~(?![01])", written):
        expected = "a JSON pointer as /answer/0/text"
        refuse(expected, shown(written), "request", "answer")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in written.split("/")[1:])


def _body(table: RequestTable, method: str) -> tuple[BodyKind, object]:
    declared = {
        BodyKind.JSON: table.json_body,
        BodyKind.FORM: table.form,
        BodyKind.TEXT: table.text,
    }
    found = [(kind, body) for kind, body in declared.items() if body is not None]
    if len(found) > 1:
        refuse("json, form or text", " and ".join(kind for kind, _ in found), "request")
    if not found:
        if method in _WITHOUT_BODY:
            return BodyKind.NONE, None
        return USUAL_REQUEST.body_kind, USUAL_REQUEST.body
    kind, body = found[0]
    if kind is BodyKind.JSON:
        try:
            json.dumps(body, allow_nan=False)
        except (TypeError, ValueError):
            expected = "values that JSON has (no dates, no nan)"
            refuse(expected, "another value", "request", "json")
    return kind, body


def _texts(
    path: str, headers: object, body: object, kind: BodyKind
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield ("request", "path"), path
    yield from _texts_in(headers, ("request", "headers"))
    yield from _texts_in(body, ("request", kind.value))


def _texts_in(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts in a value, each with the keys that lead there."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, part in value.items():
                yield from _texts_in(part, (*path, key))
        case list():
            for index, part in enumerate(value):
                yield from _texts_in(part, (*path, index))


def _require_placeholders(text: str, path: tuple[str | int, ...]) -> None:
    """Refuse what looks like a placeholder that is misspelt; other braces are text."""
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS and get_close_matches(name, PLACEHOLDERS, n=1):
            found = f"{{{name}}}"
            refuse(listed(f"{{{each}}}" for each in PLACEHOLDERS), shown(found), *path)
