"""Tells requests that the real API refuses, since calls of tools and results do not match. Pure.

Each API has a rule of its own, and only what it refuses for certain is told:

- *Chat Completions*: right after an assistant message with ``tool_calls`` come tool messages, one
  for each of its calls, and they come nowhere else.
- *Responses*: each ``function_call`` in the input has a ``function_call_output`` there, each output
  its call, and no item is there twice. What the server keeps itself is not seen here: nothing is
  told of a request that continues a kept conversation, refers to an item or holds a summary.
- *Messages*: the user's turn after a turn with ``tool_use`` blocks holds one ``tool_result`` for
  each of them, and no other. Messages of one role in a row are one turn, as they are there.
  Nothing is told of a conversation that the server keeps.

The other APIs name no calls.
"""

from collections.abc import Sequence
from typing import Any, Protocol

RESULT_WITHOUT_CALL = "a tool result without its call"
CALL_WITHOUT_RESULT = "a tool call without its result"
TWO_RESULTS = "two tool results for one call"
TWO_CALLS = "two tool calls with one id"
ITEM_TWICE = "one item twice"

MADE_TWICE = frozenset({TWO_CALLS, ITEM_TWICE})
"""What the mock itself may be the reason of: it answers equal requests with the same ids."""

_REFERENCE = "item_reference"
_SUMMARY = "compaction"


class _ChatMessage(Protocol):
    role: str
    tool_calls: Any
    tool_call_id: Any


class _Message(Protocol):
    role: str
    content: Any


class _Item(Protocol):
    type: str | None
    role: str | None
    id: str | None
    call_id: str | None


def wrong_in_chat(messages: Sequence[_ChatMessage]) -> tuple[str, ...]:
    """Return what is wrong with the messages of a request to Chat Completions, each once."""
    wrong: list[str] = []
    called: list[object] = []
    missing: list[object] = []
    for message in messages:
        if message.role == "tool":
            _take(message.tool_call_id, called, missing, wrong)
            continue
        if missing:
            _ends(called, missing, wrong)
        calls = message.tool_calls
        if calls and message.role == "assistant" and isinstance(calls, list):
            called = [call.get("id") for call in calls if isinstance(call, dict)]
            missing = called.copy()
        elif called:
            called, missing = [], []
    if missing:
        _ends(called, missing, wrong)
    return _each_once(wrong)


def wrong_in_messages(messages: Sequence[_Message]) -> tuple[str, ...]:
    """Return what is wrong with the messages of a request to Messages, each once."""
    wrong: list[str] = []
    called: list[object] = []
    missing: list[object] = []
    is_models = False
    for message in messages:
        role = message.role
        if role == "assistant":
            if not is_models:
                if missing:
                    _ends(called, missing, wrong)
                is_models, called, missing = True, [], []
            if isinstance(message.content, list):
                _take_calls(message.content, called, missing, wrong)
        elif role == "user":
            is_models = False
            if isinstance(message.content, list):
                _take_results(message.content, called, missing, wrong)
    if missing:
        _ends(called, missing, wrong)
    return _each_once(wrong)


def wrong_in_responses(items: Sequence[_Item]) -> tuple[str, ...]:
    """Return what is wrong with the input of a request to Responses, each once.

    Args:
        items: The input of a request that continues nothing that the server keeps.
    """
    calls: set[str | None] = set()
    results: set[str | None] = set()
    others: set[str | None] = {None}
    identifiers: list[str] = []
    for item in items:
        kind = item.type
        if kind == "function_call":
            calls.add(item.call_id)
        elif kind == "function_call_output":
            results.add(item.call_id)
        elif item.role is None:
            if kind is None or kind == _REFERENCE or _SUMMARY in kind:
                return ()
            others.add(item.call_id)
        if item.id is not None:
            identifiers.append(item.id)
    is_twice = len(identifiers) != len(set(identifiers))
    if calls == results:
        return (ITEM_TWICE,) if is_twice else ()
    what = {
        RESULT_WITHOUT_CALL: results - calls - others,
        CALL_WITHOUT_RESULT: calls - results - others,
        ITEM_TWICE: is_twice,
    }
    return tuple(reason for reason, is_so in what.items() if is_so)


def _take(
    identifier: object, called: Sequence[object], missing: list[object], wrong: list[str]
) -> None:
    """Take a result for the call that it names."""
    if identifier in missing:
        missing.remove(identifier)
    else:
        wrong.append(TWO_RESULTS if identifier in called else RESULT_WITHOUT_CALL)


def _ends(called: Sequence[object], missing: Sequence[object], wrong: list[str]) -> None:
    """End a turn of results, of which some are missing."""
    # Where two calls have one id, one result may do.
    if any(called.count(each) == missing.count(each) for each in missing):
        wrong.append(CALL_WITHOUT_RESULT)


def _take_calls(
    parts: list[Any], called: list[object], missing: list[object], wrong: list[str]
) -> None:
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "tool_use":
            identifier = part.get("id")
            if identifier in called:
                wrong.append(TWO_CALLS)
            called.append(identifier)
            missing.append(identifier)


def _take_results(
    parts: list[Any], called: Sequence[object], missing: list[object], wrong: list[str]
) -> None:
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "tool_result":
            _take(part.get("tool_use_id"), called, missing, wrong)


def _each_once(wrong: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wrong)) if wrong else ()
