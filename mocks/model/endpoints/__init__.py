"""What is asked beside a model's answers: embeddings, moderations, the list of models, and so on.

The model takes no part in them: no call of the script is used up, and no limit of its server
applies. Each takes its time, and meets faults if the scenario says so (``world.endpoint_replies``).

To add one, write its module, an ``Endpoint``, and name it in ``ENDPOINTS``.
"""

from functools import lru_cache
from typing import NamedTuple

from .embeddings import EMBEDDINGS
from .endpoint import Asked, Endpoint
from .gemini_embeddings import BATCH_EMBED_CONTENTS, EMBED_CONTENT
from .models import MODEL, MODELS
from .moderations import MODERATIONS
from .rerank import RERANK
from .token_counts import COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS

__all__ = [
    "ENDPOINTS",
    "Asked",
    "Endpoint",
    "Found",
    "endpoint_at",
    "endpoint_of",
]

ENDPOINTS = (
    INPUT_TOKENS,
    COUNT_TOKENS,
    GEMINI_COUNT_TOKENS,
    EMBEDDINGS,
    EMBED_CONTENT,
    BATCH_EMBED_CONTENTS,
    MODERATIONS,
    RERANK,
    MODELS,
    MODEL,
)
"""All of them; of several that an address belongs to, the first is meant."""

_PATHS_KEPT = 1024


class Found(NamedTuple):
    """The endpoint at an address, and what its path names."""

    endpoint: Endpoint
    named: dict[str, str | None]


@lru_cache(_PATHS_KEPT)
def endpoint_at(method: str, path: str) -> Found | None:
    """Return the endpoint at an address; ``None`` if there is none.

    Args:
        method: HTTP method, in capitals.
        path: Path of the address.
    """
    return next((found for found in _all_at(path) if method in found.endpoint.methods), None)


def endpoint_of(path: str) -> Endpoint | None:
    """Return the endpoint at a path, whatever the method; ``None`` if there is none."""
    return next((found.endpoint for found in _all_at(path)), None)


def _all_at(path: str) -> list[Found]:
    matches = ((endpoint, endpoint.path.search(path)) for endpoint in ENDPOINTS)
    return [Found(endpoint, match.groupdict()) for endpoint, match in matches if match is not None]
