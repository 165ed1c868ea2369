"""The endpoints at which a client counts the tokens of a request before it makes it.

Two APIs have one: OpenAI's Responses and Anthropic's Messages. The count is an estimate, one token
for four characters, as the texts of answers have them; so it grows with the conversation. The model
takes no part in it: no call of the script is used up, no limit applies, no fault strikes. It takes
``COUNTING_S`` from the request to the answer, as a service would.

Source: the types of the official SDKs (``openai.types.responses.InputTokenCountResponse``,
``anthropic.types.MessageTokensCount``), which the tests hold every answer against.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from msgspec.json import encode as to_json

from ..wire.reply import Reply, whole_reply

COUNTING_S = 0.05
"""What such a request takes, in seconds."""

_OK = 200
_CHARACTERS_PER_TOKEN = 4
_JSON = MappingProxyType({"content-type": "application/json"})
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """An endpoint that counts tokens.

    Attributes:
        path: The end of the path of its requests.
        answer: The JSON of an answer, by the number of tokens.
    """

    path: str
    answer: Callable[[int], object]

    def reply(self, body: bytes) -> Reply:
        """Return the reply to the body of a ``POST``."""
        tokens = max(1, len(body) // _CHARACTERS_PER_TOKEN)
        return whole_reply(_OK, _JSON, to_json(self.answer(tokens)), round(COUNTING_S * _SECOND_NS))


TOKEN_COUNTERS = (
    TokenCounter(
        "/responses/input_tokens",
        lambda tokens: {"object": "response.input_tokens", "input_tokens": tokens},
    ),
    TokenCounter("/messages/count_tokens", lambda tokens: {"input_tokens": tokens}),
)


def token_counter_of(path: str) -> TokenCounter | None:
    """Return the endpoint at a path; ``None`` if none that counts tokens is there."""
    return next((each for each in TOKEN_COUNTERS if path.endswith(each.path)), None)
