"""What operators ask of a server: whether it runs (``/health``), and its metrics (``/metrics``).

For ``warpbench serve``. A service of the scenario at that address goes first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.json import encode as to_json

from ...world.world import World
from .asgi import App, Receive, Scope, Send

if TYPE_CHECKING:
    from .metrics import Metrics

_OK = 200
_NOT_ALLOWED = 405
_JSON = "application/json"


class Operations:
    """An app that answers operators, and lets another answer everybody else.

    Args:
        app: What answers everybody else.
        world: The world that it serves.
        metrics: Its metrics.
        name: Name of what is served.
    """

    def __init__(self, app: App, world: World, metrics: "Metrics", name: str) -> None:
        self._app = app
        self._world = world
        self._answers: dict[str, Callable[[], tuple[str, bytes]]] = {
            "/health": lambda: (_JSON, to_json({"status": "ok", "scenario": name})),
            "/metrics": lambda: (metrics.content_type, metrics.text()),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answers = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        if answers is None or self._world.is_mocked(scope["method"], scope["path"], scope["path"]):
            await self._app(scope, receive, send)
            return
        status, headers, body = _OK, [], b""
        if scope["method"] in {"GET", "HEAD"}:
            content_type, body = answers()
            headers.append((b"content-type", content_type.encode()))
        else:
            status = _NOT_ALLOWED
            headers.append((b"allow", b"GET, HEAD"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
