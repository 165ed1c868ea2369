"""OpenAI's Embeddings API: vectors of texts or tokens, as numbers or as base64.

Source: the types of the official SDK (``openai.types.CreateEmbeddingResponse``), which the tests
hold every answer against.
"""

import base64
import re
import sys
from typing import Literal

import msgspec

from ...scenario.endpoints import EndpointKind
from ..answer import UnusableRequestError
from ..openai_chat import error_of
from .endpoint import Asked, Endpoint, listed_in, tokens_of
from .vectors import MOST_DIMENSIONS, vector_of

USUAL_DIMENSIONS = 1536
"""How many numbers a vector has where the request does not say: as OpenAI's small model."""

_MOST_INPUTS = 2048
"""Inputs of one request at most, as OpenAI takes them."""

_Input = str | list[str | int | list[int]]


class _Request(msgspec.Struct):
    input: _Input
    model: str = ""
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None


_decode = msgspec.json.Decoder(_Request).decode


def _answers(asked: Asked, /) -> object:
    request = _decode(asked.body)
    inputs = _inputs(request.input)
    dimensions = USUAL_DIMENSIONS if request.dimensions is None else request.dimensions
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise UnusableRequestError(
            f"`dimensions`: expected 1 to {MOST_DIMENSIONS}, found {dimensions}"
        )
    is_base64 = request.encoding_format == "base64"
    tokens = sum(tokens_of(len(each)) if isinstance(each, str) else len(each) for each in inputs)
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _embedding(each, dimensions, is_base64=is_base64),
            }
            for index, each in enumerate(inputs)
        ],
        "model": request.model or asked.named.get("model") or "",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _inputs(given: _Input) -> list[str | list[int]]:
    """Return the inputs one by one: a list of numbers is one, of the tokens that they are."""
    if isinstance(given, str):
        inputs: list[str | list[int]] = [given]
    else:
        tokens = [each for each in given if isinstance(each, int)]
        if tokens and len(tokens) < len(given):
            raise UnusableRequestError("`input`: expected texts or tokens, found both")
        inputs = [tokens] if tokens else [each for each in given if not isinstance(each, int)]
    if not inputs or not all(inputs):
        raise UnusableRequestError("`input`: expected texts or tokens, found an empty one")
    if len(inputs) > _MOST_INPUTS:
        raise UnusableRequestError(
            f"`input`: expected at most {_MOST_INPUTS} inputs, found {len(inputs)}"
        )
    return inputs


def _embedding(given: str | list[int], dimensions: int, *, is_base64: bool) -> object:
    # No text is spelled like the tokens are here.
    text = given if isinstance(given, str) else f"\0{given}"
    vector = vector_of(text, dimensions)
    if not is_base64:
        return vector.tolist()
    if sys.byteorder == "big":
        vector.byteswap()
    return base64.b64encode(vector.tobytes()).decode()


EMBEDDINGS = Endpoint(
    name="embeddings",
    kind=EndpointKind.EMBEDDINGS,
    # Ollama's own `/api/embeddings` is another API.
    path=re.compile(r"(?:/openai/deployments/(?P<model>[^/]+)|(?<!/api))/embeddings$"),
    answers=_answers,
    error=error_of,
    inputs=listed_in("input"),
)
