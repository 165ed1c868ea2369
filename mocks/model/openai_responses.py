"""OpenAI's Responses API, whole and streamed.

Source: the types of the official SDK (``openai.types.responses``), which the tests hold
every answer against.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.json import encode as to_json

from .answer import Answer, Event, Fragments, Question, WireFormat, first_prompt, numbered
from .openai_chat import CREATED, error_of, limit_headers_of

_OUR_IDENTIFIER = re.compile(r"(?:resp|msg|fc|call)_(-?\d+)_(\d+)")
_MODELS_TYPES = frozenset({"function_call", "reasoning"})


class _Item(msgspec.Struct):
    """A message, an output of the model's, or what a tool gave."""

    type: str | None = None
    role: str | None = None
    content: Any = None
    id: str | None = None
    call_id: str | None = None


class _Tool(msgspec.Struct):
    type: str
    name: str | None = None  # one of the server's own has none
    parameters: Any = None


class _Request(msgspec.Struct):
    model: str
    input: str | list[_Item]
    previous_response_id: str | None = None
    tools: list[_Tool] | None = None
    stream: bool | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    items = [] if isinstance(request.input, str) else request.input
    prompt = request.input if isinstance(request.input, str) else first_prompt(items)
    session, step = None, _answers_in(items)
    previous = _OUR_IDENTIFIER.fullmatch(request.previous_response_id or "")
    if previous is not None:
        session, step = int(previous[1]), int(previous[2]) + 1 + step
    return Question(
        model=request.model,
        step=step,
        tools=_functions_of(request.tools or ()),
        streamed=bool(request.stream),
        session=session,
        prompt=prompt,
    )


def _functions_of(tools: Iterable[_Tool]) -> dict[str, dict[str, Any]]:
    functions = {}
    for tool in tools:
        if tool.type == "function":
            schema = {} if tool.parameters is None else tool.parameters
            if tool.name is None or not isinstance(schema, dict):
                raise ValueError(f"a function has a `name` and `parameters`, not {tool!r}")
            functions[tool.name] = schema
    return functions


def _answers_in(items: list[_Item]) -> int:
    """Count the answers that the input repeats: by their identifiers, or else by turns."""
    identifiers = [
        _OUR_IDENTIFIER.match(item.call_id or item.id or "") for item in items if _is_models(item)
    ]
    steps = [int(found[2]) for found in identifiers if found is not None]
    if steps:
        return max(steps) + 1
    from_model = [_is_models(item) for item in items]
    return sum(
        now and not before for before, now in zip([False, *from_model], from_model, strict=False)
    )


def _is_models(item: _Item) -> bool:
    return item.role == "assistant" or item.type in _MODELS_TYPES


def _whole(answer: Answer) -> object:
    return _response(answer, "completed", _output(answer), _usage(answer))


def _stream(answer: Answer, fragments: Fragments, _counts_usage: bool) -> Iterator[Event]:
    sequence = iter(range(1 << 31))

    def event(kind: str, fragment: int | None, **content: object) -> Event:
        body = {"type": kind, **content, "sequence_number": next(sequence)}
        data = f"event: {kind}\ndata: ".encode() + to_json(body) + b"\n\n"
        return Event(data, fragment, bool(content.get("delta")))

    begun = _response(answer, "in_progress", [], None)
    yield event("response.created", 0, response=begun)
    yield event("response.in_progress", 0, response=begun)
    blocks = numbered(fragments.blocks)
    for index, (item, block) in enumerate(zip(_output(answer), blocks, strict=True)):
        first, last = block[0][0], block[-1][0]
        place = {"output_index": index, "item_id": item["id"]}
        part_place = {**place, "content_index": 0}
        empty: dict[str, object] = (
            {"content": []} if item["type"] == "message" else {"arguments": ""}
        )
        opened = {**item, **empty, "status": "in_progress"}
        yield event("response.output_item.added", first, output_index=index, item=opened)
        if item["type"] == "message":
            yield event("response.content_part.added", first, part=_part(""), **part_place)
            for number, fragment in block:
                yield event(
                    "response.output_text.delta", number, delta=fragment, logprobs=[], **part_place
                )
            yield event(
                "response.output_text.done", last, text=answer.text, logprobs=[], **part_place
            )
            yield event("response.content_part.done", last, part=_part(answer.text), **part_place)
        else:
            for number, fragment in block:
                yield event(
                    "response.function_call_arguments.delta", number, delta=fragment, **place
                )
            yield event(
                "response.function_call_arguments.done",
                last,
                arguments=item["arguments"],
                **place,
            )
        yield event("response.output_item.done", last, output_index=index, item=item)
    yield event("response.completed", None, response=_whole(answer))


def _output(answer: Answer) -> list[dict[str, Any]]:
    if not answer.tool_uses:
        message = {
            "id": f"msg_{answer.tag}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [_part(answer.text)],
        }
        return [message]
    return [
        {
            "id": f"fc_{answer.tag}_{index}",
            "type": "function_call",
            "call_id": f"call_{answer.tag}_{index}",
            "name": use.name,
            "arguments": use.arguments,
            "status": "completed",
        }
        for index, use in enumerate(answer.tool_uses)
    ]


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(answer: Answer, status: str, output: list[dict[str, Any]], usage: object) -> object:
    return {
        "id": f"resp_{answer.tag}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
    }


def _usage(answer: Answer) -> object:
    return {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


RESPONSES = WireFormat(
    path="/responses",
    request_id_header="x-request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=error_of,
    limit_headers=limit_headers_of,
)
