"""A conversation: the history so far, and how much of it the model gets."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import ContextTooLongError, ConversationError
from ..messages import Usage
from .wire import decode_message

CountTokens = Callable[[str], int]
"""Counts the tokens of a text; ``tiktoken`` has such functions."""

_BYTES_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Block:
    """Messages that only make sense together: a text, or calls with all their results.

    Attributes:
        messages: The messages, encoded.
        tokens: Estimated number of tokens of the messages.
        tool_calls: Number of tool calls among the messages.
    """

    messages: tuple[bytes, ...]
    tokens: int
    tool_calls: int = 0

    @classmethod
    def of(
        cls, messages: Sequence[bytes], count_tokens: CountTokens | None, tool_calls: int = 0
    ) -> "Block":
        """Count the tokens of encoded messages.

        Without a counter a token is taken for four bytes of JSON, and a message for four
        tokens more: about right for English, too many for code, never far too few.
        """
        if count_tokens is None:
            tokens = sum(math.ceil(len(message) / _BYTES_PER_TOKEN) for message in messages)
        else:
            tokens = sum(count_tokens(message.decode()) for message in messages)
        return cls(tuple(messages), tokens + _TOKENS_PER_MESSAGE * len(messages), tool_calls)


PastTurn = tuple[Block, ...]
"""The user's message, and all that followed until the answer; the first block is the user's."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation in numbers; as a string, a sentence.

    Attributes:
        turns: Number of messages of the user.
        messages: Messages of any role, without the agent's instructions.
        tool_calls: Calls of tools.
        tokens: Estimated number of tokens of the messages.
        usage: Tokens that the model counted so far, in all requests.
    """

    turns: int
    messages: int
    tool_calls: int
    tokens: int
    usage: Usage

    def __str__(self) -> str:
        return (
            f"{self.turns} turns, {self.messages} messages, {self.tool_calls} tool calls, "
            f"about {self.tokens} tokens"
        )


class Conversation:
    """The history of one conversation; independent of any agent.

    An agent adds a turn when the turn is over. A turn that fails or is cancelled leaves no
    trace, so the history is valid for the API at all times. Concurrent turns are refused.
    """

    def __init__(self) -> None:
        self._turns: list[PastTurn] = []
        self._usage = Usage()
        self._in_use = threading.Lock()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages in the API's own form, oldest first, without the instructions."""
        return [
            decode_message(message)
            for turn in self._turns
            for block in turn
            for message in block.messages
        ]

    def summary(self) -> ConversationSummary:
        """Count turns, messages, tool calls and tokens of the conversation."""
        blocks = [block for turn in self._turns for block in turn]
        return ConversationSummary(
            turns=len(self._turns),
            messages=sum(len(block.messages) for block in blocks),
            tool_calls=sum(block.tool_calls for block in blocks),
            tokens=sum(block.tokens for block in blocks),
            usage=self._usage,
        )

    def clear(self) -> None:
        """Delete all messages; the tokens that the model counted stay counted.

        Raises:
            ConversationError: A turn is in progress.
        """
        with self.in_use():
            self._turns.clear()

    def truncate(self, max_tokens: int) -> int:
        """Delete the oldest turns until the rest takes at most ``max_tokens``.

        Whole turns are deleted, so a tool's result never outlives its call.

        Returns:
            The number of deleted turns.

        Raises:
            ConversationError: A turn is in progress.
        """
        with self.in_use():
            before = len(self._turns)
            tokens = sum(_tokens(turn) for turn in self._turns)
            while self._turns and tokens > max_tokens:
                tokens -= _tokens(self._turns.pop(0))
            return before - len(self._turns)

    def add(self, turn: PastTurn) -> None:
        """Add a turn that is over."""
        self._turns.append(turn)

    def count(self, usage: Usage) -> None:
        """Add the tokens that the model counted for a request, also of a turn that fails later."""
        self._usage += usage

    def fitting(self, current: Sequence[Block], max_tokens: int | None) -> Iterator[bytes]:
        """Yield the messages to send: the past and the current turn, as far as they fit.

        The oldest turns are left out first. If the current turn is too long by itself, whole
        blocks after its first message are left out, the oldest first. That message and the last
        block always stay.

        Raises:
            ContextTooLongError: Even the first message and the last block do not fit.
        """
        blocks = [block for turn in self._turns for block in turn]
        blocks += current
        if max_tokens is not None:
            blocks = self._within(max_tokens, current)
        for block in blocks:
            yield from block.messages

    def _within(self, max_tokens: int, current: Sequence[Block]) -> list[Block]:
        free = max_tokens - _tokens(current)
        if free < 0:
            return _shortened(current, max_tokens)
        kept: list[PastTurn] = []
        for turn in reversed(self._turns):
            free -= _tokens(turn)
            if free < 0:
                break
            kept.append(turn)
        return [block for turn in reversed(kept) for block in turn] + list(current)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Reserve the conversation for one turn.

        Raises:
            ConversationError: Another turn has reserved it.
        """
        if not self._in_use.acquire(blocking=False):
            raise ConversationError(
                "this conversation is in the middle of a turn; wait for its end, or give "
                "whatever runs beside it a conversation of its own"
            )
        try:
            yield
        finally:
            self._in_use.release()


def _shortened(current: Sequence[Block], max_tokens: int) -> list[Block]:
    question, *rest = current
    while len(rest) > 1 and _tokens([question, *rest]) > max_tokens:
        del rest[0]
    needed = _tokens([question, *rest])
    if needed > max_tokens:
        raise ContextTooLongError(
            f"the shortest request that makes sense takes about {needed} tokens, but "
            f"context_tokens leaves {max_tokens}; raise it, or let tools return less"
        )
    return [question, *rest]


def _tokens(blocks: Sequence[Block]) -> int:
    return sum(block.tokens for block in blocks)
