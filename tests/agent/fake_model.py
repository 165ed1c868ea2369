"""A model's API over real HTTP on loopback, for programs that cannot be handed a transport."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .scripted import final, pieces


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return final(f"You said: {body['messages'][-1]['content']}")


class FakeModel:
    """Answers `/v1/chat/completions`; a message with "stall" stops after its first word."""

    def __init__(self, respond: Callable[[dict[str, Any]], dict[str, Any]] = echo) -> None:
        self._respond = respond
        self.hung_up = 0
        self.bodies: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])]
        )

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        reply = self._respond(body)
        if not body.get("stream"):
            return JSONResponse(reply)
        stall = "stall" in str(body["messages"][-1]["content"])
        return StreamingResponse(self._stream(reply, stall), media_type="text/event-stream")

    async def _stream(self, reply: dict[str, Any], stall: bool) -> AsyncIterator[str]:
        try:
            for number, piece in enumerate(pieces(reply)):
                if stall and number == 2:
                    await asyncio.Event().wait()
                yield f"data: {json.dumps(piece)}\n\n"
        except asyncio.CancelledError:
            self.hung_up += 1
            raise
        yield "data: [DONE]\n\n"
