"""Gemini's endpoints for vectors of texts: of one, and of several.

Source: the types of the official SDK (``google.genai.types.EmbedContentResponse``), which the tests
hold every answer against.
"""

import re

import msgspec

from ...scenario.endpoints import EndpointKind
from ..answer import UnusableRequestError
from ..gemini import Content, error_of
from .endpoint import Answers, Asked, Endpoint, Inputs, listed_in, one_input
from .vectors import MOST_DIMENSIONS, vector_of

USUAL_DIMENSIONS = 3072
"""How many numbers a vector has where the request does not say: as Gemini's own model."""


class _Request(msgspec.Struct, rename="camel"):
    content: Content
    output_dimensionality: int | None = None


class _Requests(msgspec.Struct):
    requests: list[_Request]


_decode_one = msgspec.json.Decoder(_Request).decode
_decode_several = msgspec.json.Decoder(_Requests).decode


def _one(asked: Asked, /) -> object:
    return {"embedding": _embedding(_decode_one(asked.body))}


def _several(asked: Asked, /) -> object:
    return {"embeddings": [_embedding(each) for each in _decode_several(asked.body).requests]}


def _embedding(request: _Request) -> object:
    dimensions = request.output_dimensionality
    dimensions = USUAL_DIMENSIONS if dimensions is None else dimensions
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise UnusableRequestError(
            f"`outputDimensionality`: expected 1 to {MOST_DIMENSIONS}, found {dimensions}"
        )
    return {"values": vector_of(request.content.text, dimensions).tolist()}


def _endpoint(verb: str, answers: Answers, inputs: Inputs = one_input) -> Endpoint:
    return Endpoint(
        name=verb,
        kind=EndpointKind.EMBEDDINGS,
        path=re.compile(f":{verb}$"),
        answers=answers,
        error=error_of,
        inputs=inputs,
    )


EMBED_CONTENT = _endpoint("embedContent", _one)
BATCH_EMBED_CONTENTS = _endpoint("batchEmbedContents", _several, listed_in("requests"))
