"""OpenAI's Chat Completions API, whole and streamed.

Source: the types of the official SDK (``openai.types.chat``), which the tests hold every
answer against.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from .answer import (
    Allowances,
    Answer,
    Event,
    Fragments,
    Question,
    WireFormat,
    first_prompt,
    numbered,
    schema_of,
)

CREATED = 1_767_225_600
"""When an answer says that it was made, in seconds since 1970: 2026-01-01."""

_SERVERS_FAULT = 500
_RATE_LIMITED = 429


def _read(request: Mapping[str, Any]) -> Question:
    options = request.get("stream_options") or {}
    functions = [
        tool["function"] for tool in request.get("tools") or () if tool.get("type") == "function"
    ]
    return Question(
        model=str(request["model"]),
        step=sum(message["role"] == "assistant" for message in request["messages"]),
        tools={function["name"]: schema_of(function.get("parameters")) for function in functions},
        streamed=bool(request.get("stream")),
        counts_usage=bool(options.get("include_usage")),
        prompt=first_prompt(request["messages"]),
    )


def _whole(answer: Answer) -> object:
    tag = answer.tag
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if answer.tool_uses else answer.text,
        "refusal": None,
        "annotations": [],
    }
    if answer.tool_uses:
        message["tool_calls"] = [
            {
                "id": f"call_{tag}_{index}",
                "type": "function",
                "function": {"name": use.name, "arguments": use.arguments},
            }
            for index, use in enumerate(answer.tool_uses)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(answer),
    }
    return {
        "id": f"chatcmpl-{tag}",
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [choice],
        "usage": _usage(answer),
        "service_tier": "default",
    }


def _stream(answer: Answer, fragments: Fragments, counts_usage: bool) -> Iterator[Event]:
    no_usage = {"usage": None} if counts_usage else {}
    frame = {
        "id": f"chatcmpl-{answer.tag}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.model,
        "service_tier": "default",
    }

    def event(
        delta: dict[str, object], fragment: int | None, finish_reason: str | None = None
    ) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return Event(_data({**frame, "choices": [choice], **no_usage}), fragment)

    content = None if answer.tool_uses else ""
    yield event({"role": "assistant", "content": content, "refusal": None}, 0)
    if answer.tool_uses:
        blocks = zip(answer.tool_uses, numbered(fragments.blocks), strict=True)
        for index, (use, block) in enumerate(blocks):
            opening = {
                "index": index,
                "id": f"call_{answer.tag}_{index}",
                "type": "function",
                "function": {"name": use.name, "arguments": ""},
            }
            yield event({"tool_calls": [opening]}, block[0][0])
            for number, fragment in block:
                call = {"index": index, "function": {"arguments": fragment}}
                yield event({"tool_calls": [call]}, number)
    else:
        for number, fragment in enumerate(fragments.blocks[0]):
            yield event({"content": fragment}, number)
    yield event({}, None, _finish_reason(answer))
    if counts_usage:
        yield Event(_data({**frame, "choices": [], "usage": _usage(answer)}), None)
    yield Event(b"data: [DONE]\n\n", None)


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool_uses else "stop"


def _usage(answer: Answer) -> dict[str, object]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _data(value: object) -> bytes:
    return b"data: " + to_json(value) + b"\n\n"


def error_of(status: int, message: str) -> object:
    """Return the JSON of an error of OpenAI's APIs."""
    kind = "server_error" if status >= _SERVERS_FAULT else "invalid_request_error"
    code = None
    if status == _RATE_LIMITED:
        kind, code = "requests", "rate_limit_exceeded"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return {"error": error}


def limit_headers_of(allowances: Allowances) -> dict[str, str]:
    """Return the rate limit headers of OpenAI's APIs."""
    headers: dict[str, str] = {}
    for unit, allowance in (("requests", allowances.requests), ("tokens", allowances.tokens)):
        if allowance is not None:
            headers[f"x-ratelimit-limit-{unit}"] = str(allowance.limit)
            headers[f"x-ratelimit-remaining-{unit}"] = str(allowance.remaining)
            headers[f"x-ratelimit-reset-{unit}"] = f"{round(allowance.reset_s * 1000)}ms"
    return headers


CHAT_COMPLETIONS = WireFormat(
    path="/chat/completions",
    request_id_header="x-request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=error_of,
    limit_headers=limit_headers_of,
)
