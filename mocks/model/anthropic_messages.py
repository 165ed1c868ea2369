"""Anthropic's Messages API, whole and streamed.

Source: the types of the official SDK (``anthropic.types``), which the tests hold every
answer against.
"""

import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.json import encode as to_json

from .answer import (
    Allowances,
    Answer,
    Ending,
    Event,
    Fragments,
    Place,
    Question,
    WireFormat,
    answers_in,
    numbered,
    place_in,
    place_of_text,
    required_place_in,
)
from .anthropic_options import Choice, OutputConfig, OutputFormat, options_of
from .tool_results import wrong_in_messages

_SERVERS_FAULT = 500
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
    system: Any = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    tool_choice: Choice | None = None
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    newest = _newest_in(request.messages)
    answers = 0 if newest else answers_in(request.messages)
    if newest is None and request.thread is not None:
        newest = required_place_in(request.thread.previous_message_id)
    return Question(
        model=request.model,
        tools={
            tool.name: tool.input_schema
            for tool in request.tools or ()
            if tool.name is not None and tool.input_schema is not None
        },
        streamed=bool(request.stream),
        messages=request.messages,
        system=request.system,
        newest=newest,
        answers=answers,
        is_kept=request.thread is not None,
        options=options_of(
            config=request.output_config,
            format_=request.output_format,
            tool_choice=request.tool_choice,
            max_tokens=request.max_tokens,
            stop=request.stop_sequences,
        ),
        wrong=wrong_in_messages(request.messages) if request.thread is None else (),
    )


def _newest_in(messages: Sequence[_Message]) -> Place | None:
    for message in reversed(messages):
        parts = message.content if isinstance(message.content, list) else []
        named = (
            place_in(part.get("tool_use_id") or part.get("id"))
            for part in parts
            if isinstance(part, dict)
        )
        place = next((each for each in named if each is not None), None)
        if place is None and message.role == "assistant":
            place = place_of_text(message.content)
        if place is not None:
            return place
    return None


def _whole(answer: Answer) -> object:
    stop_reason = _stop_reason(answer)
    return _message(answer, _content(answer), stop_reason, _stop_sequence(answer))


def _stream(answer: Answer, fragments: Fragments, _counts_usage: bool) -> Iterator[Event]:
    def event(kind: str, fragment: int | None, *, tokens: str = "", **content: object) -> Event:
        body = to_json({"type": kind, **content})
        data = f"event: {kind}\ndata: ".encode() + body + b"\n\n"
        return Event(data, fragment, bool(tokens))

    yield event("message_start", 0, message=_message(answer, [], None, None, 1))
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
    stop = {"stop_reason": _stop_reason(answer), "stop_sequence": _stop_sequence(answer)}
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
    answer: Answer,
    content: list[dict[str, object]],
    stop_reason: str | None,
    stop_sequence: str | None,
    output_tokens: int | None = None,
) -> object:
    return {
        "id": f"msg_{answer.tag}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": {
            # This API counts what the cache had apart.
            "input_tokens": answer.prompt_tokens - answer.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": answer.cached_tokens,
            "output_tokens": (answer.completion_tokens if output_tokens is None else output_tokens),
            "service_tier": "standard",
        },
    }


def _stop_reason(answer: Answer) -> str:
    if answer.ending is not Ending.COMPLETE:
        return "max_tokens" if answer.ending is Ending.LENGTH else "stop_sequence"
    return "tool_use" if answer.tool_uses else "end_turn"


def _stop_sequence(answer: Answer) -> str | None:
    return answer.stopped_by or None


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
    name="messages",
    path=re.compile("/messages$"),
    request_id_header="request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=_error,
    limit_headers=_limit_headers,
    prompt_fields=("tools", "system", "messages"),
)
