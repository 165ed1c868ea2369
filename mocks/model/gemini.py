"""Gemini's API: ``generateContent``, whole, and ``streamGenerateContent`` in both its forms.

The path names the model, and whether the answer is streamed: with ``alt=sse`` as events, else as
one JSON array that grows. Keys of a request may be written in either of the spellings that
Google's servers accept (``functionDeclarations``, ``function_declarations``).

Source: the types of the official SDK (``google.genai.types``), which the tests hold every answer
against.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
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
    Said,
    WireFormat,
    answers_in,
    numbered,
    place_in,
    place_of_text,
)
from .gemini_options import json_schema_of, options_of

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SERVERS_FAULT = 500
_MODEL_OF_PATH = r"/(?:models|tunedModels|endpoints)/(?P<model>[^/:]+):"


class Content(msgspec.Struct):
    """A message: who says it, and its parts."""

    role: str | None = None
    parts: list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """All that is text in it."""
        texts = (part.get("text") for part in self.parts or ())
        return "".join(text for text in texts if isinstance(text, str))


class _Function(msgspec.Struct, rename="camel"):
    name: str
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None
    parameters_json_schema_in_snake_case: dict[str, Any] | None = msgspec.field(
        default=None, name="parameters_json_schema"
    )


class _Tool(msgspec.Struct, rename="camel"):
    """Tools of the server itself (a search, code execution) declare no functions."""

    function_declarations: list[_Function] | None = None
    function_declarations_in_snake_case: list[_Function] | None = msgspec.field(
        default=None, name="function_declarations"
    )


class _Request(msgspec.Struct):
    contents: list[Content] | Content
    tools: list[_Tool] | _Tool | None = None
    systemInstruction: Content | None = None  # noqa: N815
    system_instruction: Content | None = None
    generationConfig: dict[str, Any] | None = None  # noqa: N815 - both spellings are read
    generation_config: dict[str, Any] | None = None
    toolConfig: dict[str, Any] | None = None  # noqa: N815
    tool_config: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    system = request.systemInstruction or request.system_instruction
    contents = request.contents if isinstance(request.contents, list) else [request.contents]
    tools = [request.tools] if isinstance(request.tools, _Tool) else request.tools or []
    newest = _newest_in(contents)
    said = [Said(_role_of(content), content.text) for content in contents]
    return Question(
        model=None,
        messages=said,
        system=None if system is None else system.text,
        newest=newest,
        answers=0 if newest else answers_in(said),
        tools=_functions_of(tools),
        options=options_of(
            request.generationConfig or request.generation_config,
            request.toolConfig or request.tool_config,
        ),
    )


def _role_of(content: Content) -> str:
    return "assistant" if content.role == "model" else "user"


def _newest_in(contents: Sequence[Content]) -> Place | None:
    for content in reversed(contents):
        for part in content.parts or ():
            call = part.get("functionResponse") or part.get("functionCall")
            place = place_in(call.get("id")) if isinstance(call, dict) else None
            if place is None and content.role == "model":
                place = place_of_text(part.get("text"))
            if place is not None:
                return place
    return None


def _functions_of(tools: Iterable[_Tool]) -> dict[str, Mapping[str, object]]:
    declared = chain.from_iterable(
        (tool.function_declarations or ()) or (tool.function_declarations_in_snake_case or ())
        for tool in tools
    )
    return {function.name: _schema_of(function) for function in declared}


def _schema_of(function: _Function) -> dict[str, Any]:
    schema = function.parameters_json_schema or function.parameters_json_schema_in_snake_case
    if schema is not None:
        return schema
    in_lower_case: dict[str, Any] = json_schema_of(function.parameters or {})
    return in_lower_case


def _whole(answer: Answer) -> object:
    candidates = [
        _candidate(index, _parts(each), _finish_reason(each))
        for index, each in enumerate((answer, *answer.others))
    ]
    return _response(answer, candidates, _written(answer))


def _chunks(answer: Answer, fragments: Fragments) -> Iterator[tuple[object, int | None]]:
    """Yield the chunks of a streamed answer, each with its fragment: a call comes as a whole.

    Further answers come at the end, a chunk each.
    """
    blocks = numbered(fragments.blocks)
    if answer.tool_uses:
        for part, block in zip(_parts(answer), blocks, strict=True):
            yield _response(answer, [_candidate(0, [part])], None), block[-1][0]
    elif answer.text:
        for number, fragment in blocks[0]:
            yield _response(answer, [_candidate(0, [{"text": fragment}])], None), number
    for index, other in enumerate(answer.others, start=1):
        candidate = _candidate(index, _parts(other), _finish_reason(other))
        yield _response(answer, [candidate], None), None
    end = _candidate(0, [{"text": ""}], _finish_reason(answer))
    yield _response(answer, [end], _written(answer)), None


def _events(answer: Answer, fragments: Fragments, _counts_usage: bool) -> Iterator[Event]:
    for chunk, fragment in _chunks(answer, fragments):
        yield Event(b"data: " + to_json(chunk) + b"\n\n", fragment, fragment is not None)


def _array(answer: Answer, fragments: Fragments, _counts_usage: bool) -> Iterator[Event]:
    before = b"["
    for chunk, fragment in _chunks(answer, fragments):
        yield Event(before + to_json(chunk), fragment, fragment is not None)
        before = b",\r\n"
    yield Event(b"]", None)


def _parts(answer: Answer) -> list[dict[str, object]]:
    if not answer.tool_uses:
        return [{"text": answer.text}] if answer.text else []
    return [
        {
            "functionCall": {
                "id": f"call_{answer.tag}_{index}",
                "name": use.name,
                "args": _arguments(use.arguments),
            }
        }
        for index, use in enumerate(answer.tool_uses)
    ]


def _arguments(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a fault: this API cannot say anything but an object
        return {}


def _candidate(
    index: int, parts: list[dict[str, object]], finish_reason: str | None = None
) -> dict[str, object]:
    candidate: dict[str, object] = {
        "content": {"parts": parts, "role": "model"},
        "index": index,
    }
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    return candidate


def _finish_reason(answer: Answer) -> str:
    return "MAX_TOKENS" if answer.ending is Ending.LENGTH else "STOP"


def _written(answer: Answer) -> int:
    """Return the tokens of an answer, and of the further ones beside it."""
    return answer.completion_tokens + sum(other.completion_tokens for other in answer.others)


def _response(
    answer: Answer, candidates: list[dict[str, object]], completion_tokens: int | None
) -> object:
    usage = {"promptTokenCount": answer.prompt_tokens, "totalTokenCount": answer.prompt_tokens}
    if answer.cached_tokens:
        usage["cachedContentTokenCount"] = answer.cached_tokens
    if completion_tokens is not None:
        usage["candidatesTokenCount"] = completion_tokens
        usage["totalTokenCount"] += completion_tokens
    return {
        "candidates": candidates,
        "usageMetadata": usage,
        "modelVersion": answer.model,
        "responseId": f"resp_{answer.tag}",
    }


def error_of(status: int, message: str) -> object:
    """Return the JSON of an error of Google's APIs."""
    usual = "INTERNAL" if status >= _SERVERS_FAULT else "FAILED_PRECONDITION"
    reason = _STATUSES.get(status, usual)
    return {"error": {"code": status, "message": message, "status": reason}}


def _no_limit_headers(_allowances: Allowances) -> dict[str, str]:
    """Return none: Gemini's API reports no rate limits in headers."""
    return {}


def _api(verb: str, stream: Callable[[Answer, Fragments, bool], Iterable[Event]]) -> WireFormat:
    return WireFormat(
        name=verb,
        path=re.compile(f"{_MODEL_OF_PATH}{verb}$"),
        request_id_header=None,
        read=_read,
        whole=_whole,
        stream=stream,
        error=error_of,
        limit_headers=_no_limit_headers,
        prompt_fields=("tools", "systemInstruction", "system_instruction", "contents"),
    )


GENERATE_CONTENT = _api("generateContent", _events)
STREAM_GENERATE_CONTENT = replace(
    _api("streamGenerateContent", _events), query="alt=sse", always_streams=True
)
STREAM_GENERATE_CONTENT_AS_ARRAY = replace(
    _api("streamGenerateContent", _array), always_streams=True, stream_type="application/json"
)
