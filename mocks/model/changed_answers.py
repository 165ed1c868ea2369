"""Answers that are changed on purpose, to see what of a session depends on them.

A changed answer differs from the usual one in what code may look at: its first letter, its words,
its length, its number, whether it asks for tools. Its words are those of the request, as a prompt
names the labels that its agent tells apart ("answer SAFE or UNSAFE").
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec.json import decode as from_json
from msgspec.json import encode as to_json
from msgspec.structs import replace

from ..workload.marks import LENGTH, marks_in
from .answer import Answer, ToolUse
from .answer_options import AnswerOptions
from .fitting import fitted
from .schemas import FreeString, FreeText, Instances
from .tool_uses import TICKET

_WORD = re.compile(rb"[A-Za-z]{2,30}")
_MOST_WORDS = 300
_CANDIDATES = 40
_MISSING = object()
_OTHERS = (("No, 7: ", 1, _MOST_WORDS), ("Yes, 42. ", 40, _MOST_WORDS), ("Xylo 3.5 ", 1, 4))
"""How a text begins, how often it has the words of the request, and how many of them at most."""


def changed(answer: Answer, draw: int, body: bytes) -> Answer:
    """Return another answer to the same request, which takes as long.

    Args:
        answer: The usual one. Its provenance mark stays.
        draw: Which other one, from 1 on; 0 for the usual one.
        body: The request.
    """
    if not draw:
        return answer
    if not answer.tool_uses:
        mark = answer.text[: answer.mark_characters]
        return replace(answer, text=mark + changed_text(draw, body))
    if draw == 1:
        return replace(answer, text=changed_text(draw, body), tool_uses=())
    uses = tuple(_changed_use(use, draw) for use in answer.tool_uses)
    return replace(answer, tool_uses=uses)


def changed_text(draw: int, asked: bytes) -> str:
    """Return another text for an output.

    Args:
        draw: Which other one, from 1 on.
        asked: What asked for the output.
    """
    words = list(dict.fromkeys(_WORD.findall(asked)))[:_MOST_WORDS]
    if draw % 2:
        words.reverse()
    opening, times, most = _OTHERS[(draw - 1) % len(_OTHERS)]
    return opening + " ".join([word.decode() for word in words[:most]] * times)


def changed_value(value: Any, draw: int) -> Any:
    """Return another value of the same shape: other texts, numbers and truth values in it."""
    if isinstance(value, bool):
        return value ^ bool(draw % 2)
    if isinstance(value, int | float):
        return value + draw
    if isinstance(value, str):
        return f"{_OTHERS[(draw - 1) % len(_OTHERS)][0]}{value}"
    if isinstance(value, list):
        return [changed_value(each, draw) for each in value]
    if isinstance(value, dict):
        return {name: changed_value(each, draw) for name, each in value.items()}
    return value


def _changed_use(use: ToolUse, draw: int) -> ToolUse:
    """Return a tool call with other arguments; a ticket stays, by which the tool finds its call."""
    arguments: dict[str, Any] = from_json(use.arguments)
    other = {
        name: value if name == TICKET else changed_value(value, draw)
        for name, value in arguments.items()
    }
    return replace(use, arguments=to_json(other).decode())


def fitted_otherwise(
    answer: Answer, options: AnswerOptions, instances: Instances, draw: int, text: FreeText
) -> Answer:
    """Return another answer of the same form, of whose values as many as can be are others.

    Args:
        answer: The answer, whose tag seeds the usual instance.
        options: As ``fitted`` has them, as are the next, and the errors.
        instances: Makes instances of schemas.
        draw: Which other one, from 1 on.
        text: Makes the texts of the usual instance that may be any.
    """
    usual = fitted(answer, options, instances, answer.tag, text)
    others = (
        fitted(answer, options, instances, f"{answer.tag}/{draw}.{number}", _other(text, draw))
        for number in range(_CANDIDATES)
    )
    return max(others, key=lambda other: _differences(usual.text, other.text))


def _other(text: FreeText, draw: int) -> FreeText:
    """Return what makes texts of the same lengths and with the same marks, and other words."""

    def other(free: FreeString) -> str:
        usual = text(free)
        mark = usual[:LENGTH] if next(marks_in(usual[:LENGTH].encode()), None) else ""
        words = usual[len(mark) :]
        return mark + (words[::-1] if draw % 2 else words.swapcase())

    return other


def _differences(usual: str, other: str) -> int:
    """Return how many values of two JSON texts differ, of which one may lack some."""
    try:
        pair = dict(_leaves(from_json(usual))), dict(_leaves(from_json(other)))
    except ValueError:  # cut
        return int(usual != other)
    places = dict.fromkeys((*pair[0], *pair[1]))
    return sum(pair[0].get(place, _MISSING) != pair[1].get(place, _MISSING) for place in places)


def _leaves(value: Any, place: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], Any]]:
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in members:
            yield from _leaves(each, (*place, name))
    else:
        yield place, value
