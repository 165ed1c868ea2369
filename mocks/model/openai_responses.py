"""OpenAI's Responses API, whole and streamed.

Source: the types of the official SDK (``openai.types.responses``), which the tests hold
every answer against.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.json import encode as to_json

from .answer import (
    Answer,
    Ending,
    Event,
    Fragments,
    Place,
    Question,
    WireFormat,
    numbered,
    place_in,
    place_of_text,
    required_place_in,
)
from .openai_chat import CREATED, error_of, limit_headers_of
from .openai_options import Choice, TextOptions, options_of
from .prompted_schemas import with_prompted_schema
from .tool_results import wrong_in_responses

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
    instructions: Any = None
    previous_response_id: str | None = None
    conversation: Any = None
    tools: list[_Tool] | None = None
    stream: bool | None = None
    text: TextOptions | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _read(body: bytes) -> Question:
    request = _decode(body)
    said = request.input
    items = [_Item(role="user", content=said)] if isinstance(said, str) else said
    newest = _newest_in(items)
    answers = 0 if newest else _answers_in(items)
    is_continued = bool(request.previous_response_id or request.conversation)
    if newest is None:
        newest = required_place_in(request.previous_response_id)
    options = options_of(
        format_=None if request.text is None else request.text.format,
        place="text.format",
        tool_choice=request.tool_choice,
        parallel=request.parallel_tool_calls,
        max_tokens=request.max_output_tokens,
    )
    if options.format is not None:
        contents = [request.instructions, *(item.content for item in items)]
        options = with_prompted_schema(options, contents)
    return Question(
        model=request.model,
        tools=_functions_of(request.tools or ()),
        streamed=bool(request.stream),
        messages=items,
        system=request.instructions,
        newest=newest,
        answers=answers,
        options=options,
        wrong=() if is_continued else wrong_in_responses(items),
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


def _newest_in(items: Sequence[_Item]) -> Place | None:
    for item in reversed(items):
        place = place_in(item.call_id) or place_in(item.id)
        if place is None and item.role == "assistant":
            place = place_of_text(item.content)
        if place is not None:
            return place
    return None


def _answers_in(items: Sequence[_Item]) -> int:
    """Count the answers that the input repeats, of one or more items each."""
    from_model = [_is_models(item) for item in items]
    return sum(
        now and not before for before, now in zip([False, *from_model], from_model, strict=False)
    )


def _is_models(item: _Item) -> bool:
    return item.role == "assistant" or item.type in _MODELS_TYPES


def _whole(answer: Answer) -> object:
    return _response(answer, _status(answer), _output(answer), _usage(answer))


def _status(answer: Answer) -> str:
    return "incomplete" if answer.ending is Ending.LENGTH else "completed"


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
    yield event(f"response.{_status(answer)}", None, response=_whole(answer))


def _output(answer: Answer) -> list[dict[str, Any]]:
    if not answer.tool_uses:
        message = {
            "id": f"msg_{answer.tag}",
            "type": "message",
            "role": "assistant",
            "status": _status(answer),
            "content": [_part(answer.text)],
        }
        return [message]
    last = len(answer.tool_uses) - 1
    return [
        {
            "id": f"fc_{answer.tag}_{index}",
            "type": "function_call",
            "call_id": f"call_{answer.tag}_{index}",
            "name": use.name,
            "arguments": use.arguments,
            # Of what was cut, the calls before the last are whole.
            "status": _status(answer) if index == last else "completed",
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
        "incomplete_details": ({"reason": "max_output_tokens"} if status == "incomplete" else None),
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
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": answer.cached_tokens},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


RESPONSES = WireFormat(
    name="responses",
    path=re.compile("/responses$"),
    request_id_header="x-request-id",
    read=_read,
    whole=_whole,
    stream=_stream,
    error=error_of,
    limit_headers=limit_headers_of,
    prompt_fields=("tools", "instructions", "input"),
)
