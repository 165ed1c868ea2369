"""The request that a session sends, made from what the scenario declares: no input or output."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ...mocks.scenario.request import PLACEHOLDERS, BodyKind, RequestSpec

HOST = "127.0.0.1"
PORT = 8000
"""Where the service is said to listen."""

_FIRST_CLIENT_PORT = 10_000
_CLIENT_PORTS = 50_000
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
_CONTENT_TYPES = {
    BodyKind.JSON: "application/json",
    BodyKind.FORM: "application/x-www-form-urlencoded",
    BodyKind.TEXT: "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire.

    Attributes:
        method: HTTP method, in capitals.
        path: Path of the address, percent-encoded.
        query: What follows the question mark, likewise.
        headers: Names, in lower case, and values.
        body: The body.
        client_port: Port that it is said to come from; each session has its own.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client_port: int


def request_of(
    spec: RequestSpec, task: str, session: int, turn: int, address: str = f"{HOST}:{PORT}"
) -> Request:
    """Return the request of a session.

    Args:
        spec: What the scenario declares.
        task: Stands for ``{task}``.
        session: Stands for ``{session}``.
        turn: Stands for ``{turn}``; the first is 1.
        address: Host and port of the service.
    """
    values = {"task": task, "session": str(session), "turn": str(turn)}
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    path, _, query = _filled(spec.path, quoted).partition("?")
    body = _body(spec, values)
    headers = {
        "host": address,
        "user-agent": "warpbench",
        "accept": "*/*",
        **dict(_content_headers(spec, body)),
        **{name.lower(): _line(_filled(text, values)) for name, text in spec.headers.items()},
    }
    port = _FIRST_CLIENT_PORT + session % _CLIENT_PORTS
    return Request(spec.method, path, query, tuple(headers.items()), body, port)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a value of JSON whose texts have their placeholders filled in."""
    match value:
        case str():
            return _filled(value, values)
        case dict():
            return {key: filled(part, values) for key, part in value.items()}
        case list():
            return [filled(part, values) for part in value]
    return value


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill a text in at once: a value that holds braces is left as it is."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _line(text: str) -> str:
    """Return a text as the value of a header: one line of Latin-1."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")


def _body(spec: RequestSpec, values: Mapping[str, str]) -> bytes:
    body = filled(spec.body, values)
    match spec.body_kind:
        case BodyKind.JSON:
            return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        case BodyKind.FORM:
            return urlencode(body).encode()
        case BodyKind.TEXT:
            return str(body).encode()
    return b""


def _content_headers(spec: RequestSpec, body: bytes) -> Iterator[tuple[str, str]]:
    if spec.body_kind is not BodyKind.NONE:
        yield "content-type", _CONTENT_TYPES[spec.body_kind]
        yield "content-length", str(len(body))
