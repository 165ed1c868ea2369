"""OpenAI's Chat Completions API, whole and streamed.

Source: the types of the official SDK (``openai.types.chat``), which the tests hold every
answer against.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.json import encode as to_json

from .answer import (
    Allowances,
    Answer,
    Event,
    Fragments,
    Place,
    Question,
    WireFormat,
    answers_in,
    place_in,
    place_of_text,
)
from .openai_chat_deltas import deltas_of, finish_reason_of
from .openai_options import Choice, ResponseFormat, options_of
from .prompted_schemas import with_prompted_schema
from .tool_results import wrong_in_chat

CREATED = 1_767_225_600
"""The time at which each answer claims to be made, in seconds since 1970: 2026-01-01."""

_SERVERS_FAULT = 500
_RATE_LIMITED = 429


class _Message(msgspec.Struct):
    role: str
    content: Any = None
    tool_calls: Any = None
    tool_call_id: Any = None


class _Function(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class _Tool(msgspec.Struct):
    type: str
    function: _Function | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct, kw_only=True):
    model: str | None = None  # Azure's deployments name it in the path
    messages: list[_Message]
    tools: list[_Tool] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    response_format: ResponseFormat | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    stream = request.stream_options
    newest = _newest_in(request.messages)
    options = options_of(
        format_=request.response_format,
        place="response_format",
        tool_choice=request.tool_choice,
        parallel=request.parallel_tool_calls,
        max_tokens=request.max_completion_tokens or request.max_tokens,
        choices=request.n,
        stop=request.stop,
    )
    if options.format is not None:
        contents = [message.content for message in request.messages]
        options = with_prompted_schema(options, contents)
    return Question(
        model=request.model,
        tools=_functions_of(request.tools or ()),
        streamed=bool(request.stream),
        counts_usage=stream is not None and bool(stream.include_usage),
        messages=request.messages,
        newest=newest,
        answers=0 if newest else answers_in(request.messages),
        options=options,
        wrong=wrong_in_chat(request.messages),
    )


def _newest_in(messages: Sequence[_Message]) -> Place | None:
    for message in reversed(messages):
        place = place_in(message.tool_call_id)
        if place is None and message.role == "assistant":
            calls = message.tool_calls
            first = calls[0] if isinstance(calls, list) and calls else None
            place = place_in(first.get("id")) if isinstance(first, dict) else None
            place = place or place_of_text(message.content)
        if place is not None:
            return place
    return None


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
    choices = [_choice(answer, answer.tag, 0)]
    if answer.others:
        choices += [
            _choice(other, f"{answer.tag}_{index}", index)
            for index, other in enumerate(answer.others, start=1)
        ]
    return _Completion(
        id=f"chatcmpl-{answer.tag}", model=answer.model, choices=choices, usage=_usage(answer)
    )


def _choice(answer: Answer, tag: str, index: int) -> _Choice:
    if answer.tool_uses:
        calls = [
            _ToolCall(id=f"call_{tag}_{each}", function=_CalledFunction(use.name, use.arguments))
            for each, use in enumerate(answer.tool_uses)
        ]
        message = _AnswerMessage(content=None, tool_calls=calls)
    else:
        message = _AnswerMessage(content=answer.text)
    return _Choice(index=index, message=message, finish_reason=finish_reason_of(answer))


def _stream(answer: Answer, fragments: Fragments, counts_usage: bool) -> Iterator[Event]:
    no_usage = {"usage": None} if counts_usage else {}
    frame = {
        "id": f"chatcmpl-{answer.tag}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.model,
        "service_tier": "default",
    }

    for choice, fragment, has_tokens in deltas_of(answer, fragments):
        data = _data({**frame, "choices": [choice], **no_usage})
        yield Event(data, fragment, has_tokens)
    if counts_usage:
        yield Event(_data({**frame, "choices": [], "usage": _usage(answer)}), None)
    yield Event(b"data: [DONE]\n\n", None)


def _usage(answer: Answer) -> _Usage:
    read, written = answer.prompt_tokens, answer.completion_tokens
    if answer.others:
        written += sum([other.completion_tokens for other in answer.others])
    if not answer.cached_tokens:
        return _Usage(read, written, read + written)
    return _Usage(read, written, read + written, _PromptDetails(answer.cached_tokens))


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
    name="chat/completions",
    path=re.compile(r"(?:/openai/deployments/(?P<model>[^/]+))?/chat/completions$"),
    request_id_header="x-request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=error_of,
    limit_headers=limit_headers_of,
    prompt_fields=("tools", "messages"),
)
