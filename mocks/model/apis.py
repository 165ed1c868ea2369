"""The APIs that the model speaks, and which of them a request's address belongs to.

To add one, write its ``WireFormat`` and name it here. An API may stand in the table several times,
by paths that ask for different forms of an answer.
"""

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from .answer import Question, UnusableRequestError, WireFormat
from .anthropic_messages import MESSAGES
from .gemini import GENERATE_CONTENT, STREAM_GENERATE_CONTENT, STREAM_GENERATE_CONTENT_AS_ARRAY
from .openai_chat import CHAT_COMPLETIONS
from .openai_completions import COMPLETIONS
from .openai_responses import RESPONSES

WIRE_FORMATS = (
    CHAT_COMPLETIONS,
    RESPONSES,
    MESSAGES,
    COMPLETIONS,
    GENERATE_CONTENT,
    STREAM_GENERATE_CONTENT,
    STREAM_GENERATE_CONTENT_AS_ARRAY,
)
"""All of them; of several that an address belongs to, the first is meant."""

_ADDRESSES_KEPT = 1024


class Addressed(msgspec.Struct, frozen=True):
    """What the address of a request says.

    Attributes:
        wire: The API that is spoken.
        model: Name of the model; ``None`` if the address does not name it.
    """

    wire: WireFormat
    model: str | None


@lru_cache(_ADDRESSES_KEPT)
def addressed(path: str, query: str = "") -> Addressed | None:
    """Return what an address says; ``None`` if it belongs to no API of a model.

    Args:
        path: Path of the address.
        query: Its query, without the question mark.
    """
    for wire in WIRE_FORMATS:
        found = wire.path.search(path)
        if found is not None and (not wire.query or wire.query in query.split("&")):
            return Addressed(wire, found.groupdict().get("model"))
    return None


def wire_format_of(path: str) -> WireFormat | None:
    """Return the API at a path; ``None`` if the path belongs to no API of a model."""
    found = addressed(path)
    return None if found is None else found.wire


def question_of(place: Addressed, body: bytes) -> Question:
    """Read a request.

    Args:
        place: What its address says.
        body: Its body.

    Raises:
        UnusableRequestError: It is no request of that API.
    """
    wire = place.wire
    try:
        question = wire.read(body)
    except (ValueError, RecursionError) as error:
        raise UnusableRequestError(f"not a request to …/{wire.name}: {error}") from error
    if question.model is None:
        if place.model is None:
            raise UnusableRequestError(
                f"not a request to …/{wire.name}: Object missing required field `model`"
            )
        question = replace(question, model=place.model)
    if wire.always_streams:
        question = replace(question, streamed=True)
    return question
