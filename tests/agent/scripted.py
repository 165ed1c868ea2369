"""A model that says what its script says: answers, and clients that never open a socket."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import openai
from warpbench.agent.messages import ToolCall

from ..http_libraries import sdk_http


def calls(*tool_calls: ToolCall, content: str | None = None) -> dict[str, Any]:
    return completion(
        {
            "content": content,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in tool_calls
            ],
        },
        "tool_calls",
    )


def final(text: str = "done") -> dict[str, Any]:
    return completion({"content": text}, "stop")


def completion(message: dict[str, Any], finish_reason: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, **message},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
    }


def call(name: str, /, id: str = "call_0", **arguments: object) -> ToolCall:  # noqa: A002
    return ToolCall(id, name, json.dumps(arguments))


Reply = dict[str, Any] | sdk_http.Response | Exception
Respond = Callable[[dict[str, Any]], Reply]


@dataclass
class Model:
    """Answers each request by `respond`, or with the next of `replies`; remembers requests.

    Each answer takes `latency_s`; of a streamed one this is the time to the first piece, and
    `gap_s` lies between the pieces.
    """

    replies: Sequence[Reply] = ()
    respond: Respond | None = None
    latency_s: float = 0.0
    gap_s: float = 0.0
    requests: list[sdk_http.Request] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0
    closed_streams: int = 0

    def answer(self, request: sdk_http.Request) -> sdk_http.Response:
        body = json.loads(request.content)
        self.requests.append(request)
        if self.respond is not None:
            reply = self.respond(body)
        else:
            reply = self.replies[len(self.requests) - 1]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, sdk_http.Response):
            return reply
        if body.get("stream"):
            return sdk_http.Response(
                200,
                headers={"content-type": "text/event-stream"},
                stream=Pieces(self, list(pieces(reply))),
            )
        return sdk_http.Response(200, json=reply)

    @contextmanager
    def flying(self) -> Iterator[None]:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def handle(self, request: sdk_http.Request) -> sdk_http.Response:
        with self.flying():
            if self.latency_s:
                time.sleep(self.latency_s)
            return self.answer(request)

    async def handle_async(self, request: sdk_http.Request) -> sdk_http.Response:
        with self.flying():
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            return self.answer(request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def tool_texts(self) -> list[str]:
        """What the last request says that the tools gave, in its order."""
        return [m["content"] for m in self.bodies[-1]["messages"] if m["role"] == "tool"]

    def async_client(self, **settings: Any) -> openai.AsyncOpenAI:
        transport = sdk_http.MockTransport(self.handle_async)
        http_client = openai.DefaultAsyncHttpxClient(transport=transport)
        return openai.AsyncOpenAI(api_key="test", http_client=http_client, **settings)

    @contextmanager
    def client(self, **settings: Any) -> Iterator[openai.OpenAI]:
        http_client = openai.DefaultHttpxClient(transport=sdk_http.MockTransport(self.handle))
        with openai.OpenAI(api_key="test", http_client=http_client, **settings) as client:
            yield client


def pieces(reply: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Cut a completion as the API does: text by words, calls in fragments, usage at the end."""
    message, usage = reply["choices"][0]["message"], reply["usage"]

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {"object": "chat.completion.chunk", "choices": [choice], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    for word in re.findall(r"\S+\s*|\s+", message.get("content") or ""):
        yield chunk({"content": word})
    if message.get("refusal"):
        yield chunk({"refusal": message["refusal"]})
    for index, asked in enumerate(message.get("tool_calls") or ()):
        function = {"name": asked["function"]["name"], "arguments": ""}
        first = {"index": index, "id": asked["id"], "type": "function", "function": function}
        yield chunk({"tool_calls": [first]})
        written = asked["function"]["arguments"]
        for start in range(0, len(written), 5):
            piece = {"arguments": written[start : start + 5]}
            yield chunk({"tool_calls": [{"index": index, "function": piece}]})
    yield chunk({}, reply["choices"][0]["finish_reason"])
    yield {"object": "chat.completion.chunk", "choices": [], "usage": usage}


class Pieces(sdk_http.SyncByteStream, sdk_http.AsyncByteStream):
    def __init__(self, model: Model, chunks: list[dict[str, Any]]) -> None:
        self.model = model
        self.events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
        self.events.append(b"data: [DONE]\n\n")

    def __iter__(self) -> Iterator[bytes]:
        for event in self.events:
            yield event
            if self.model.gap_s:
                time.sleep(self.model.gap_s)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            yield event
            if self.model.gap_s:
                await asyncio.sleep(self.model.gap_s)

    def close(self) -> None:
        self.model.closed_streams += 1

    async def aclose(self) -> None:
        self.model.closed_streams += 1
