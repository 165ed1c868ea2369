"""What a server says to a request that nobody answers: in the shape of the API that was asked."""

from collections.abc import Iterable, Mapping

from msgspec.json import encode as to_json

from ...model.scripted import wire_format_of
from ...wire.reply import Reply, whole_reply

_NOT_FOUND = 404
_NOT_ALLOWED = 405
_OPENAI = "/chat/completions"
_ANTHROPIC = "/messages"
_OF_ANTHROPIC = b"anthropic-version"
"""A header that only clients of Anthropic's API send."""


def refusal(method: str, path: str, headers: Iterable[tuple[bytes, bytes]], message: str) -> Reply:
    """Return the reply to a request at an address, or with a method, that is not mocked.

    Args:
        method: HTTP method, in capitals.
        path: Path of the request.
        headers: Its headers, their names in small letters.
        message: Why it is not answered.
    """
    wire = wire_format_of(path)
    if wire is not None:
        message = f"warpbench: {method} is not allowed at {path}: the API takes POST"
        return _reply(_NOT_ALLOWED, to_json(wire.error(_NOT_ALLOWED, message)), {"allow": "POST"})
    is_anthropics = any(name == _OF_ANTHROPIC for name, _ in headers)
    wire = wire_format_of(_ANTHROPIC if is_anthropics else _OPENAI)
    assert wire is not None
    return _reply(_NOT_FOUND, to_json(wire.error(_NOT_FOUND, f"warpbench: {message}")), {})


def _reply(status: int, body: bytes, more: Mapping[str, str]) -> Reply:
    return whole_reply(status, {"content-type": "application/json", **more}, body, 0)
