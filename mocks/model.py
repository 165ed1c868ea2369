"""The scripted model: what it answers to a chat completion request, and how long it takes.

It works out session and step from the request alone: the session from a marker in the
prompt, the step from the number of assistant messages so far. So any agent can be the
target, and a retried request gets the same answer after the same wait.

The model asks only for tools that the request declares. Where the request declares the
lab's tools, each call carries a *ticket* that leads the tool to its drawn latency. Where it
declares others, the calls go to those in turn, with arguments made up from their schemas.
Where it declares none, the model answers at once.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import jiter

from .script import ModelCallScript, SessionScript, ToolCallScript

_MARKER = re.compile(rb"\[warpbench session (-?\d+)\]")
_OK = 200
_BAD_REQUEST = 400
_BYTES_PER_TOKEN = 4
_FILLER = b"lorem ipsum dolor sit amet, " * 4096
TICKET = "ticket"


def task_of(session: int, scenario: str) -> str:
    """Return the task that a session is given: a prompt that carries its marker."""
    return f"[warpbench session {session}] Carry out the task of scenario {scenario}."


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model sends back.

    Attributes:
        status: HTTP status.
        body: JSON bytes of the response.
        latency_ns: How long the answer takes; an error comes at once.
        session: The session that asked; -1 if the request does not say.
        step: Which of its model calls this is; -1 if the script has no such call.
    """

    status: int
    body: bytes
    latency_ns: int
    session: int = -1
    step: int = -1


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the bytes of an answer depend on, besides numbers; few per scenario."""

    model: str
    calls: tuple[tuple[str, str], ...]
    declared: tuple[str, ...]


class ScriptedModel:
    """Answers requests from a script.

    Attributes:
        tools_declared: Names of the tools that the latest request declared.
        answered: Model calls answered so far, by session; a repeated one counts once.
    """

    def __init__(self, sessions: Mapping[int, SessionScript]) -> None:
        self.answered: dict[int, int] = {}
        self._sessions = sessions
        self._templates: dict[_Shape, bytes] = {}
        self.tools_declared: frozenset[str] = frozenset()

    def answer(self, request_body: bytes) -> ModelAnswer:
        """Return the answer to the body of a ``POST …/chat/completions``."""
        marker = _MARKER.search(request_body)
        if marker is None:
            return _error("no session marker in the prompt: pass the task on as it was given")
        try:
            request = jiter.from_json(request_body, cache_mode="keys")
            messages = request["messages"]
            step = sum(message["role"] == "assistant" for message in messages)
            tools = request.get("tools") or ()
            model = request["model"]
            streamed = request.get("stream")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _error(f"not a chat completion request: {type(error).__name__}: {error}")
        if streamed:
            return _error("the scripted model does not stream: ask without `stream`")
        session = int(marker[1])
        script = self._sessions.get(session)
        if script is None:
            return _error(f"the script has no session {session}")
        if step >= len(script.model_calls):
            return _error(
                f"session {session} has {len(script.model_calls)} model calls in the script; "
                f"this request holds {step} answers already"
            )
        self.answered[session] = step + 1
        call = script.model_calls[step]
        body = self._render(session, step, call, str(model), tools)
        return ModelAnswer(_OK, body, call.latency_ns, session, step)

    def _render(
        self, session: int, step: int, call: ModelCallScript, model: str, tools: object
    ) -> bytes:
        declared = _by_name(tools)
        self.tools_declared = frozenset(declared)
        calls = call.tool_calls if declared else ()
        shape = _Shape(
            model,
            tuple((asked.name, json.dumps(asked.arguments)) for asked in calls),
            tuple(declared),
        )
        template = self._templates.get(shape)
        if template is None:
            template = self._templates[shape] = _template(model, calls, declared)
        return template % {
            b"session": session,
            b"step": step,
            b"content": _FILLER[: call.completion_tokens * _BYTES_PER_TOKEN],
            b"prompt": call.prompt_tokens,
            b"completion": call.completion_tokens,
            b"total": call.prompt_tokens + call.completion_tokens,
        }


def _by_name(tools: object) -> dict[str, Mapping[str, object]]:
    if not isinstance(tools, list):
        return {}
    functions = [tool["function"] for tool in tools if tool.get("type") == "function"]
    return {function["name"]: function.get("parameters") or {} for function in functions}


def _template(
    model: str,
    calls: tuple[ToolCallScript, ...],
    declared: Mapping[str, Mapping[str, object]],
) -> bytes:
    message: dict[str, object] = {"role": "assistant", "content": None, "refusal": None}
    if calls:
        message["tool_calls"] = [
            _tool_call(index, call, declared) for index, call in enumerate(calls)
        ]
    else:
        message["content"] = "\0content\0"
    completion = {
        "id": "chatcmpl-\0session\0-\0step\0",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "tool_calls" if calls else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": "\0#prompt\0",
            "completion_tokens": "\0#completion\0",
            "total_tokens": "\0#total\0",
        },
    }
    text = json.dumps(completion).replace("%", "%%")
    text = re.sub(r'"\\u0000#(prompt|completion|total)\\u0000"', r"%(\1)d", text)
    text = text.replace(r"\u0000content\u0000", "%(content)b")
    # Once inside a string of JSON inside JSON (a ticket), the backslash is escaped again.
    return re.sub(r"\\+u0000(session|step)\\+u0000", r"%(\1)d", text).encode()


def _tool_call(
    index: int, call: ToolCallScript, declared: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    if call.name in declared:
        name, arguments = call.name, dict(call.arguments)
        properties = declared[name].get("properties")
        if isinstance(properties, Mapping) and TICKET in properties:
            arguments[TICKET] = f"\0session\0.\0step\0.{index}"
    else:
        name = list(declared)[index % len(declared)]
        arguments = made_up_arguments(declared[name])
    return {
        "id": f"call_\0session\0_\0step\0_{index}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }


_MADE_UP: Mapping[str, object] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}


def made_up_arguments(schema: Mapping[str, object]) -> dict[str, object]:
    """Return arguments that satisfy the required properties of a JSON schema, by type.

    An ``enum`` gives its first member, a ``default`` itself; formats and bounds are not
    looked at.
    """
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return {}
    return {name: _made_up_value(properties.get(name)) for name in required}


def _made_up_value(schema: object) -> object:
    if not isinstance(schema, Mapping):
        return "text"
    if "default" in schema:
        return schema["default"]
    members = schema.get("enum")
    if isinstance(members, list) and members:
        return members[0]
    return _MADE_UP.get(str(schema.get("type")), "text")


def _error(message: str) -> ModelAnswer:
    error = {"message": f"warpbench: {message}", "type": "invalid_request_error"}
    body = json.dumps({"error": error | {"param": None, "code": None}})
    return ModelAnswer(_BAD_REQUEST, body.encode(), 0)
