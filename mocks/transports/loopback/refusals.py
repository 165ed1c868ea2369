"""What a server says to a request that nobody answers: in the shape of the API that was asked."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.json import encode as to_json

from ...model import gemini
from ...model.anthropic_messages import MESSAGES
from ...model.apis import wire_format_of
from ...model.endpoints import endpoint_of
from ...model.openai_chat import CHAT_COMPLETIONS
from ...wire.reply import Reply, whole_reply

_NOT_FOUND = 404
_NOT_ALLOWED = 405
_ERRORS: Mapping[bytes, Callable[[int, str], object]] = {
    b"anthropic-version": MESSAGES.error,
    b"x-goog-api-key": gemini.error_of,
}
"""How an error is written, by a header that only clients of that API send."""


def refusal(method: str, path: str, headers: Iterable[tuple[bytes, bytes]], message: str) -> Reply:
    """Return the reply to a request at an address, or with a method, that is not mocked.

    Args:
        method: HTTP method, in capitals.
        path: Path of the request.
        headers: Its headers, their names in small letters.
        message: Why it is not answered.
    """
    wire, endpoint = wire_format_of(path), endpoint_of(path)
    if wire is not None:
        return _not_allowed(method, path, wire.error, ("POST",))
    if endpoint is not None:
        return _not_allowed(method, path, endpoint.error, endpoint.methods)
    errors = (_ERRORS[name] for name, _ in headers if name in _ERRORS)
    error = next(errors, CHAT_COMPLETIONS.error)
    return _reply(_NOT_FOUND, to_json(error(_NOT_FOUND, f"warpbench: {message}")), {})


def _not_allowed(
    method: str, path: str, error: Callable[[int, str], object], allowed: tuple[str, ...]
) -> Reply:
    message = f"warpbench: {method} is not allowed at {path}: the API takes {allowed[0]}"
    headers = {"allow": ", ".join(allowed)}
    return _reply(_NOT_ALLOWED, to_json(error(_NOT_ALLOWED, message)), headers)


def _reply(status: int, body: bytes, more: Mapping[str, str]) -> Reply:
    return whole_reply(status, {"content-type": "application/json", **more}, body, 0)
