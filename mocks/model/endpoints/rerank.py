"""Cohere's Rerank API, which Jina, Voyage, vLLM and others speak as well.

A document is as relevant as the share of the query's words that it has. Of documents with the same
share the first goes first.

Source: the types of the official SDK (``cohere.V2RerankResponse``, and ``cohere.RerankResponse`` of
the API's first version, whose documents may be objects and may be returned), which the tests hold
every answer against.
"""

import re

import msgspec

from ...scenario.endpoints import EndpointKind
from ..answer import UnusableRequestError
from .endpoint import Asked, Endpoint, tokens_of

_WORD = re.compile(r"\w+")


class _Document(msgspec.Struct):
    text: str = ""


class _Request(msgspec.Struct):
    query: str
    documents: list[str | _Document]
    top_n: int | None = None
    return_documents: bool | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _answers(asked: Asked, /) -> object:
    request = _decode(asked.body)
    if not request.documents:
        raise UnusableRequestError("`documents`: expected at least one, found none")
    if request.top_n is not None and request.top_n < 1:
        raise UnusableRequestError(f"`top_n`: expected at least 1, found {request.top_n}")
    texts = [each if isinstance(each, str) else each.text for each in request.documents]
    words = _words(request.query)
    scores = [_relevance(words, text) for text in texts]
    ranked = sorted(range(len(texts)), key=lambda index: -scores[index])[: request.top_n]
    tokens = tokens_of(len(request.query) + sum(map(len, texts)))
    return {
        "id": "rerank-warpbench",
        "results": [
            {"index": index, "relevance_score": scores[index]}
            | ({"document": {"text": texts[index]}} if request.return_documents else {})
            for index in ranked
        ],
        "meta": {
            "api_version": {"version": asked.named.get("version") or "2"},
            "billed_units": {"search_units": 1},
            "tokens": {"input_tokens": tokens},
        },
    }


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _relevance(words: frozenset[str], document: str) -> float:
    """Return the share of the words that a document has, 0 to 1."""
    return len(words & _words(document)) / len(words) if words else 0.0


def _error(_status: int, message: str) -> object:
    return {"message": message}


RERANK = Endpoint(
    name="rerank",
    kind=EndpointKind.RERANK,
    path=re.compile(r"(?:/v(?P<version>\d+))?/rerank$"),
    answers=_answers,
    error=_error,
)
