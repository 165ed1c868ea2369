"""Anthropic's Messages API, whole and streamed.

Source: the types of the official SDK (``anthropic.types``), which the tests hold every
answer against.
"""

import json
import math
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.json import encode as to_json

from .answer import (
    Allowances,
    Answer,
    Event,
    Fragments,
    Question,
    WireFormat,
    first_prompt,
    numbered,
)

_SERVERS_FAULT = 500
_OUR_IDENTIFIER = re.compile(r"msg_(-?\d+)_(\d+)")
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class _Message(msgspec.Struct):
    role: str
    content: Any = None


class _Tool(msgspec.Struct):
    """Tools of the server itself have no schema, and sets of tools have no name."""

    name: str | None = None
    input_schema: dict[str, Any] | None = None


class _Thread(msgspec.Struct):
    """A conversation that the server keeps: a new one, or one up to an earlier answer."""

    previous_message_id: str | None = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_Message]
    tools: list[_Tool] | None = None
    stream: bool | None = None
    thread: _Thread | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    session, step = None, [message.role for message in request.messages].count("assistant")
    if request.thread is not None:
        previous = _OUR_IDENTIFIER.fullmatch(request.thread.previous_message_id or "")
        if previous is not None:
            session, step = int(previous[1]), int(previous[2]) + 1 + step
    return Question(
        model=request.model,
        step=step,
        tools={
            tool.name: tool.input_schema
            for tool in request.tools or ()
            if tool.name is not None and tool.input_schema is not None
        },
        streamed=bool(request.stream),
        session=session,
        prompt=first_prompt(request.messages),
        is_kept=request.thread is not None,
    )


def _whole(answer: Answer) -> object:
    return _message(answer, _content(answer), _stop_reason(answer), answer.completion_tokens)


def _stream(answer: Answer, fragments: Fragments, _counts_usage: bool) -> Iterator[Event]:
    def event(kind: str, fragment: int | None, *, tokens: str = "", **content: object) -> Event:
        body = to_json({"type": kind, **content})
        data = f"event: {kind}\ndata: ".encode() + body + b"\n\n"
        return Event(data, fragment, bool(tokens))

    yield event("message_start", 0, message=_message(answer, [], None, 1))
    yield event("ping", 0)
    blocks = numbered(fragments.blocks) if answer.text or answer.tool_uses else []
    for index, block in enumerate(blocks):
        opened: dict[str, object]
        if answer.tool_uses:
            opened = {**_tool_use(answer, index), "input": {}}
            kind, key = "input_json_delta", "partial_json"
        else:
            opened, kind, key = {"type": "text", "text": ""}, "text_delta", "text"
        yield event("content_block_start", block[0][0], index=index, content_block=opened)
        for number, fragment in block:
            delta = {"type": kind, key: fragment}
            yield event("content_block_delta", number, tokens=fragment, index=index, delta=delta)
        yield event("content_block_stop", block[-1][0], index=index)
    stop = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    usage = {"output_tokens": answer.completion_tokens}
    yield event("message_delta", None, delta=stop, usage=usage)
    yield event("message_stop", None)


def _content(answer: Answer) -> list[dict[str, object]]:
    if answer.tool_uses:
        return [_tool_use(answer, index) for index in range(len(answer.tool_uses))]
    return [{"type": "text", "text": answer.text}] if answer.text else []


def _tool_use(answer: Answer, index: int) -> dict[str, object]:
    use = answer.tool_uses[index]
    try:
        arguments = json.loads(use.arguments)
    except (ValueError, RecursionError):  # a fault: this API cannot say anything but an object
        arguments = {}
    return {
        "type": "tool_use",
        "id": f"toolu_{answer.tag}_{index}",
        "name": use.name,
        "input": arguments,
    }


def _message(
    answer: Answer, content: list[dict[str, object]], stop_reason: str | None, output_tokens: int
) -> object:
    return {
        "id": f"msg_{answer.tag}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": answer.prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        },
    }


def _stop_reason(answer: Answer) -> str:
    return "tool_use" if answer.tool_uses else "end_turn"


def _error(status: int, message: str) -> object:
    usual = "api_error" if status >= _SERVERS_FAULT else "invalid_request_error"
    kind = _ERROR_TYPES.get(status, usual)
    return {"type": "error", "error": {"type": kind, "message": message}}


def _limit_headers(allowances: Allowances) -> dict[str, str]:
    headers: dict[str, str] = {}
    for unit, allowance in (("requests", allowances.requests), ("tokens", allowances.tokens)):
        if allowance is not None:
            # By ``time.time``, which follows the trial's clock; rounded up, so never early.
            reset = datetime.fromtimestamp(math.ceil(time.time() + allowance.reset_s), UTC)
            headers[f"anthropic-ratelimit-{unit}-limit"] = str(allowance.limit)
            headers[f"anthropic-ratelimit-{unit}-remaining"] = str(allowance.remaining)
            headers[f"anthropic-ratelimit-{unit}-reset"] = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
    return headers


MESSAGES = WireFormat(
    path="/messages",
    request_id_header="request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=_error,
    limit_headers=_limit_headers,
)
