"""Lets pages of any origin read the answers: what browsers ask of a server of another origin.

For ``warpbench serve``, whose clients may run in a page. All that it answers is made up, and it
listens on loopback alone.
"""

from .asgi import App, Message, Receive, Scope, Send

_ANY_ORIGIN = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*"))
_FOR_A_DAY = b"86400"
_NO_CONTENT = 204


class OpenToPages:
    """An app whose answers pages of any origin may read.

    Args:
        app: What answers.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or what a browser asks before it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            await send(
                {
                    "type": "http.response.start",
                    "status": _NO_CONTENT,
                    "headers": [
                        *_ANY_ORIGIN,
                        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
                        (
                            b"access-control-allow-headers",
                            asked.get(b"access-control-request-headers", b"*"),
                        ),
                        (b"access-control-max-age", _FOR_A_DAY),
                    ],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_openly(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_ANY_ORIGIN]}
            await send(message)

        await self._app(scope, receive, send_openly)
