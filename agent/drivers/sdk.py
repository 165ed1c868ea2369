"""What differs between the versions 1 to 3 of the openai SDK, and the agent depends on.

Version 3 sends by httpx2, the others by httpx. And the older ones take the body of a request of
one's own as a value only, which they encode themselves.
"""

import importlib
import inspect
from typing import Any

import msgspec
import openai

_LIMITS = type(openai.DEFAULT_CONNECTION_LIMITS)
_HTTP: Any = importlib.import_module(_LIMITS.__module__.partition(".")[0])
_TAKES_BYTES = "content" in inspect.signature(openai.OpenAI.post).parameters

HttpResponse: type[Any] = _HTTP.Response
"""The response of the SDK's HTTP library."""


def request_arguments(request: bytes, timeout_s: float | None) -> dict[str, Any]:
    """Return the arguments of ``client.post`` for an encoded request.

    The SDK does not retry it, since the agent does.
    """
    options: dict[str, Any] = {"security": {"bearer_auth": True}, "max_retries": 0}
    if timeout_s is not None:
        options["timeout"] = timeout_s
    if _TAKES_BYTES:
        return {"content": request, "options": options}
    return {"body": msgspec.json.decode(request), "options": options}


def limits(max_connections: int | None, max_keepalive_connections: int) -> Any:
    """Return the limits of a pool of connections, for a client of the SDK's HTTP library."""
    return _LIMITS(
        max_connections=max_connections, max_keepalive_connections=max_keepalive_connections
    )


def timed_out(client: openai.OpenAI | openai.AsyncOpenAI, path: str) -> openai.APITimeoutError:
    """Make the SDK's own error for a request that took too long."""
    return openai.APITimeoutError(_HTTP.Request("POST", client.base_url.join(path.lstrip("/"))))
