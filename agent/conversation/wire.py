"""The wire format of chat completions: the agent's values to bytes, and bytes to values.

A message is encoded once, when it enters the conversation, and a request is those bytes
joined, so round n does not encode the messages of the rounds before it again. msgspec reads
the answers, and the values are picked from the result. Measured in pairs on a session of two
model calls and four tool calls: if the SDK encodes the request again in each round, it costs
1.10 times as much; if it builds a ``ChatCompletion`` from each answer, 1.45 times.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from pydantic_core import PydanticSerializationError, to_json

from ..errors import ModelAnswerError
from ..messages import ModelAnswer, ToolCall, ToolResult, Usage

T = TypeVar("T")

_JSON_NAMES = {dict: "an object", list: "a list", str: "a string", int: "an integer"}


WHOLE = b"]}"
"""The end of a request whose answer comes as a whole."""

STREAMED = b'],"stream":true,"stream_options":{"include_usage":true}}'
"""The end of a request whose answer comes in pieces, the last of which counts the tokens."""


def encode_head(
    model: str, parameters: Mapping[str, object], tools: Sequence[dict[str, object]]
) -> bytes:
    """Encode the part of a request that never changes, up to its first message."""
    head: dict[str, object] = {"model": model, **parameters}
    if tools:
        head["tools"] = tools
    return _encode(head)[:-1] + b',"messages":['


def encode_text(role: str, text: str) -> bytes:
    """Encode a message that is only text: the instructions, or the task."""
    return _encode({"role": role, "content": text})


def encode_answer(answer: ModelAnswer) -> bytes:
    """Encode an answer as the next request has to repeat it."""
    if not answer.tool_calls:
        message = {"role": "assistant", "content": answer.text}
        if answer.refusal is not None:
            message["refusal"] = answer.refusal
        return _encode(message)
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in answer.tool_calls
    ]
    return _encode({"role": "assistant", "content": answer.text, "tool_calls": calls})


def encode_result(result: ToolResult) -> bytes:
    """Encode the result of one tool call."""
    return _encode({"role": "tool", "tool_call_id": result.call_id, "content": result.text})


def decode_message(message: bytes) -> dict[str, Any]:
    """Return an encoded message in the API's own form."""
    decoded: dict[str, Any] = json.loads(message)
    return decoded


def join_request(head: bytes, messages: Iterable[bytes], end: bytes = WHOLE) -> bytes:
    """Join encoded parts into the body of a request."""
    return b"".join((head, b",".join(messages), end))


def _encode(value: object) -> bytes:
    try:
        return to_json(value)
    except PydanticSerializationError:
        # A lone surrogate: a tool has read bytes that were not UTF-8. Escaped in ASCII it
        # is still JSON, and one odd file name does not end the session.
        return json.dumps(value).encode()


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        # Servers written in Python may send `-Infinity` for the logarithm of a probability.
        return json.loads(body)


def parse_answer(body: bytes) -> ModelAnswer:
    """Read the first choice of a chat completion.

    Args:
        body: The body of a successful response.

    Raises:
        ModelAnswerError: The body is not the JSON of a chat completion.
    """
    try:
        completion = _decode(body)
    except (ValueError, RecursionError) as error:
        raise ModelAnswerError(
            f"the model's answer is not JSON ({error}); it begins {body[:100]!r}"
        ) from error
    if type(completion) is not dict:
        raise _unexpected(completion, "an object", "the top")
    choices = _field(completion, "choices", list, "")
    if not choices:
        raise ModelAnswerError("the model's answer has no choices; expected at least one")
    choice = known(choices[0], dict, "choices[0]")
    message = _field(choice, "message", dict, "choices[0].")
    return ModelAnswer(
        text=optional(message, "content", str, "choices[0].message."),
        refusal=optional(message, "refusal", str, "choices[0].message."),
        tool_calls=_tool_calls(message),
        finish_reason=optional(choice, "finish_reason", str, "choices[0].") or "",
        usage=parse_usage(completion),
    )


def _tool_calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    where = "choices[0].message."
    calls = []
    for index, item in enumerate(optional(message, "tool_calls", list, where) or ()):
        at = f"{where}tool_calls[{index}]"
        call = known(item, dict, at)
        function = _field(call, "function", dict, f"{at}.")
        calls.append(
            ToolCall(
                _field(call, "id", str, f"{at}."),
                _field(function, "name", str, f"{at}.function."),
                _field(function, "arguments", str, f"{at}.function."),
            )
        )
    return tuple(calls)


def parse_usage(completion: dict[str, Any]) -> Usage:
    """Read the token counts of a completion, or of a piece of one; zero where there is none."""
    usage = optional(completion, "usage", dict, "")
    if usage is None:
        return Usage()
    details = optional(usage, "prompt_tokens_details", dict, "usage.") or {}
    where = "usage.prompt_tokens_details."
    return Usage(
        _field(usage, "prompt_tokens", int, "usage."),
        _field(usage, "completion_tokens", int, "usage."),
        optional(details, "cached_tokens", int, where) or 0,
    )


def _field(container: dict[str, Any], key: str, kind: type[T], where: str) -> T:
    # As `known`, in one call less: a dozen fields are read from each answer.
    value = container.get(key)
    if type(value) is not kind:
        raise _unexpected(value, _JSON_NAMES[kind], where + key)
    return value


def optional(container: dict[str, Any], key: str, kind: type[T], where: str) -> T | None:
    """Return a field of the model's answer, or ``None`` if it is not there.

    Raises:
        ModelAnswerError: The field has another type; the message names it by ``where``.
    """
    value = container.get(key)
    if value is not None and type(value) is not kind:
        raise _unexpected(value, _JSON_NAMES[kind], where + key)
    return value


def known(value: object, kind: type[T], where: str) -> T:
    """Return a part of the model's answer that has to be of this kind.

    Raises:
        ModelAnswerError: The value has another type; the message names it by ``where``.
    """
    # Exact types: JSON has no subclasses, and `True` must not pass for an integer.
    if type(value) is not kind:
        raise _unexpected(value, _JSON_NAMES[kind], where)
    return value


def _unexpected(value: object, expected: str, where: str) -> ModelAnswerError:
    found = "nothing" if value is None else repr(value)[:100]
    return ModelAnswerError(f"the model's answer has {found} at {where}; expected {expected}")
