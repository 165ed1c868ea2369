"""A model that says what its script says: answers, and clients that never open a socket."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from warpbench.agent.messages import ToolCall


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


Reply = dict[str, Any] | httpx2.Response
Respond = Callable[[dict[str, Any]], Reply]


@dataclass
class Model:
    """Answers each request by `respond`, or with the next of `replies`; remembers requests."""

    replies: Sequence[Reply] = ()
    respond: Respond | None = None
    requests: list[httpx2.Request] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        reply = (
            self.replies[len(self.requests)]
            if self.respond is None
            else self.respond(json.loads(request.content))
        )
        self.requests.append(request)
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def tool_texts(self) -> list[str]:
        """What the last request says that the tools gave, in its order."""
        return [m["content"] for m in self.bodies[-1]["messages"] if m["role"] == "tool"]

    def async_client(self, **settings: Any) -> openai.AsyncOpenAI:
        http_client = openai.DefaultAsyncHttpxClient(transport=httpx2.MockTransport(self))
        return openai.AsyncOpenAI(api_key="test", http_client=http_client, **settings)

    @contextmanager
    def client(self, **settings: Any) -> Iterator[openai.OpenAI]:
        http_client = openai.DefaultHttpxClient(transport=httpx2.MockTransport(self))
        with openai.OpenAI(api_key="test", http_client=http_client, **settings) as client:
            yield client
