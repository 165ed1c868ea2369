"""The endpoints at which a client counts the tokens of a request before it makes it.

Three APIs have one: OpenAI's Responses, Anthropic's Messages and Gemini. The count is an estimate,
one token for four characters of the body, so it grows with the conversation.

Source: the types of the official SDKs (``openai.types.responses.InputTokenCountResponse``,
``anthropic.types.MessageTokensCount``, ``google.genai.types.CountTokensResponse``), which the tests
hold every answer against.
"""

import re
from collections.abc import Callable

from ...scenario.endpoints import EndpointKind
from .. import anthropic_messages, gemini, openai_chat
from .endpoint import Asked, Endpoint, tokens_of


def _counts(
    path: str, answer: Callable[[int], object], error: Callable[[int, str], object]
) -> Endpoint:
    def answers(asked: Asked, /) -> object:
        return answer(tokens_of(len(asked.body)))

    return Endpoint(
        name=path.removeprefix("/").removeprefix(":"),
        kind=EndpointKind.TOKEN_COUNTS,
        path=re.compile(f"{path}$"),
        answers=answers,
        error=error,
    )


INPUT_TOKENS = _counts(
    "/responses/input_tokens",
    lambda tokens: {"object": "response.input_tokens", "input_tokens": tokens},
    openai_chat.error_of,
)
COUNT_TOKENS = _counts(
    "/messages/count_tokens",
    lambda tokens: {"input_tokens": tokens},
    anthropic_messages.MESSAGES.error,
)
GEMINI_COUNT_TOKENS = _counts(
    ":countTokens",
    lambda tokens: {"totalTokens": tokens},
    gemini.error_of,
)
