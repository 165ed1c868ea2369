"""tornado's HTTP client, which sends by itself: its requests to other machines are refused."""

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from ...clock.patching import patched
from .connection import OpenWorld
from .own_senders import refused_to_send


@contextmanager
def refusing_tornado(opened: OpenWorld) -> Iterator[None]:
    """Refuse what tornado's client asks of other machines in this scope."""
    client = importlib.import_module("tornado.httpclient").AsyncHTTPClient
    with patched(client, "fetch", _refusing(opened, client.fetch)):
        yield


def _refusing(opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def fetch(client: Any, request: Any, *args: Any, **options: Any) -> Any:
        refused = refused_to_send(opened, "tornado", getattr(request, "url", request))
        if refused is None:
            return original(client, request, *args, **options)
        future = asyncio.get_running_loop().create_future()
        future.set_exception(refused)
        return future

    return fetch
