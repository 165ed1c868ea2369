"""The list of models, and each model by its name: OpenAI's, Anthropic's and Gemini's.

All three have them at the same paths, which no host tells apart over sockets. So an answer has the
keys of all, and each SDK reads its own. Any model exists; the list has one.

Source: the types of the official SDKs (``openai.types.Model``, ``anthropic.types.ModelInfo``,
``google.genai.types.Model``), which the tests hold every answer against.
"""

import re
from datetime import UTC, datetime

from ...scenario.endpoints import EndpointKind
from ..openai_chat import CREATED, error_of
from .endpoint import Asked, Endpoint

LISTED = "warpbench"
"""Name of the model in the list."""

_METHODS = ("GET", "HEAD")
_CREATED_AT = datetime.fromtimestamp(CREATED, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
_MOST_TOKENS_READ = 1_048_576
_MOST_TOKENS_WRITTEN = 65_536
# Behind a version, below Azure's root, or at a root that is all a client has. Not at any other
# path that ends so: `/api/models` of a hub of models is a service's own.
_BEFORE = r"(?:^|/openai|/v\d+(?:(?:alpha|beta)\d*)?)"


def _list(_asked: Asked, /) -> object:
    model = _model(LISTED)
    openais = {"object": "list", "data": [model]}
    anthropics = {"has_more": False, "first_id": LISTED, "last_id": LISTED}
    geminis = {"models": [model]}
    return openais | anthropics | geminis


def _one(asked: Asked, /) -> object:
    return _model(asked.named["model"] or LISTED)


def _model(name: str) -> object:
    openais = {"id": name, "object": "model", "created": CREATED, "owned_by": "warpbench"}
    anthropics = {
        "type": "model",
        "display_name": name,
        "created_at": _CREATED_AT,
        "lifecycle": "active",
        "max_input_tokens": _MOST_TOKENS_READ,
        "max_tokens": _MOST_TOKENS_WRITTEN,
    }
    geminis = {
        "name": f"models/{name}",
        "displayName": name,
        "version": "1",
        "inputTokenLimit": _MOST_TOKENS_READ,
        "outputTokenLimit": _MOST_TOKENS_WRITTEN,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
    }
    return openais | anthropics | geminis


MODELS = Endpoint(
    name="models",
    kind=EndpointKind.MODELS,
    path=re.compile(f"{_BEFORE}/models$"),
    answers=_list,
    error=error_of,
    methods=_METHODS,
)
MODEL = Endpoint(
    name="models/ID",
    kind=EndpointKind.MODELS,
    path=re.compile(f"{_BEFORE}/models/(?P<model>[^:]+)$"),
    answers=_one,
    error=error_of,
    methods=_METHODS,
)
