"""OpenAI's Chat Completions API, whole and streamed.

Source: the types of the official SDK (``openai.types.chat``), which the tests hold every
answer against.
"""

from collections.abc import Iterable, Iterator
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

CREATED = 1_767_225_600
"""The time at which each answer claims to be made, in seconds since 1970: 2026-01-01."""

_SERVERS_FAULT = 500
_RATE_LIMITED = 429


class _Message(msgspec.Struct):
    role: str
    content: Any = None


class _Function(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class _Tool(msgspec.Struct):
    type: str
    function: _Function | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_Message]
    tools: list[_Tool] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    options = request.stream_options
    return Question(
        model=request.model,
        step=[message.role for message in request.messages].count("assistant"),
        tools=_functions_of(request.tools or ()),
        streamed=bool(request.stream),
        counts_usage=options is not None and bool(options.include_usage),
        prompt=first_prompt(request.messages),
    )


def _functions_of(tools: Iterable[_Tool]) -> dict[str, dict[str, Any]]:
    functions = {}
    for tool in tools:
        if tool.type == "function":
            if tool.function is None:
                raise ValueError("a tool of type `function` has no `function`")
            functions[tool.function.name] = tool.function.parameters or {}
    return functions


# Whole answers have types as well: making and writing them takes half the time that
# dictionaries take, and most agents ask for whole answers.


class _CalledFunction(msgspec.Struct):
    name: str
    arguments: str


class _ToolCall(msgspec.Struct, kw_only=True):
    id: str
    type: str = "function"
    function: _CalledFunction


class _AnswerMessage(msgspec.Struct, kw_only=True):
    role: str = "assistant"
    content: str | None
    refusal: None = None
    annotations: tuple[()] = ()
    tool_calls: list[_ToolCall] | msgspec.UnsetType = msgspec.UNSET


class _Choice(msgspec.Struct, kw_only=True):
    index: int = 0
    message: _AnswerMessage
    logprobs: None = None
    finish_reason: str


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0
    audio_tokens: int = 0


class _CompletionDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails = _PromptDetails()
    completion_tokens_details: _CompletionDetails = _CompletionDetails()


class _Completion(msgspec.Struct, kw_only=True):
    id: str
    object: str = "chat.completion"
    created: int = CREATED
    model: str
    choices: list[_Choice]
    usage: _Usage
    service_tier: str = "default"


def _whole(answer: Answer) -> _Completion:
    tag = answer.tag
    if answer.tool_uses:
        calls = [
            _ToolCall(id=f"call_{tag}_{index}", function=_CalledFunction(use.name, use.arguments))
            for index, use in enumerate(answer.tool_uses)
        ]
        message = _AnswerMessage(content=None, tool_calls=calls)
    else:
        message = _AnswerMessage(content=answer.text)
    choice = _Choice(message=message, finish_reason=_finish_reason(answer))
    return _Completion(
        id=f"chatcmpl-{tag}", model=answer.model, choices=[choice], usage=_usage(answer)
    )


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
        delta: dict[str, object],
        fragment: int | None,
        finish_reason: str | None = None,
        *,
        tokens: str = "",
    ) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return Event(_data({**frame, "choices": [choice], **no_usage}), fragment, bool(tokens))

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
                yield event({"tool_calls": [call]}, number, tokens=fragment)
    else:
        for number, fragment in enumerate(fragments.blocks[0]):
            yield event({"content": fragment}, number, tokens=fragment)
    yield event({}, None, _finish_reason(answer))
    if counts_usage:
        yield Event(_data({**frame, "choices": [], "usage": _usage(answer)}), None)
    yield Event(b"data: [DONE]\n\n", None)


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool_uses else "stop"


def _usage(answer: Answer) -> _Usage:
    read, written = answer.prompt_tokens, answer.completion_tokens
    return _Usage(read, written, read + written)


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
