"""OpenAI's Moderations API: nothing is ever harmful.

Source: the types of the official SDK (``openai.types.ModerationCreateResponse``), which the tests
hold every answer against.
"""

import re
from typing import Any

import msgspec

from ...scenario.endpoints import EndpointKind
from ..answer import UnusableRequestError
from ..openai_chat import error_of
from .endpoint import Asked, Endpoint, listed_in

USUAL_MODEL = "omni-moderation-latest"
"""The model that answers where the request names none, as at OpenAI."""

# Which kinds of input each category is judged by.
_TEXT, _BOTH = ("text",), ("text", "image")
_CATEGORIES = {
    "harassment": _TEXT,
    "harassment/threatening": _TEXT,
    "hate": _TEXT,
    "hate/threatening": _TEXT,
    "illicit": _TEXT,
    "illicit/violent": _TEXT,
    "self-harm": _BOTH,
    "self-harm/instructions": _BOTH,
    "self-harm/intent": _BOTH,
    "sexual": _BOTH,
    "sexual/minors": _TEXT,
    "violence": _BOTH,
    "violence/graphic": _BOTH,
}
_HARMLESS = 1e-6


class _Request(msgspec.Struct):
    input: str | list[str | dict[str, Any]]
    model: str | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _answers(asked: Asked, /) -> object:
    request = _decode(asked.body)
    return {
        "id": "modr-warpbench",
        "model": request.model or USUAL_MODEL,
        "results": [_result(kinds) for kinds in _kinds_of_inputs(request.input)],
    }


def _kinds_of_inputs(given: str | list[str | dict[str, Any]]) -> list[frozenset[str]]:
    """Return the kinds of each input: a list of items, texts and images, is one input."""
    if isinstance(given, str):
        return [frozenset(_TEXT)]
    texts = [each for each in given if isinstance(each, str)]
    if texts and len(texts) < len(given):
        raise UnusableRequestError("`input`: expected texts or items with a `type`, found both")
    if not given:
        raise UnusableRequestError("`input`: expected at least one, found none")
    if texts:
        return [frozenset(_TEXT)] * len(texts)
    kinds = [each.get("type") for each in given if isinstance(each, dict)]
    for kind in kinds:
        if kind not in {"text", "image_url"}:
            raise UnusableRequestError(f"`input`: expected a text or an image_url, found {kind!r}")
    return [frozenset("image" if kind == "image_url" else "text" for kind in kinds)]


def _result(kinds: frozenset[str]) -> object:
    applied = {
        category: [kind for kind in judged if kind in kinds]
        for category, judged in _CATEGORIES.items()
    }
    return {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": {
            category: _HARMLESS if judged else 0.0 for category, judged in applied.items()
        },
        "category_applied_input_types": applied,
    }


MODERATIONS = Endpoint(
    name="moderations",
    kind=EndpointKind.MODERATIONS,
    path=re.compile("/moderations$"),
    answers=_answers,
    error=error_of,
    inputs=listed_in("input"),
)
