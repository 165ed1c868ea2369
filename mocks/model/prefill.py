"""The time that a model takes to read a prompt, and the prefixes of prompts that it still knows.

Reading (the *prefill*) takes the tokens of the prompt over a rate. A prefix cache spares what is in
it: the longest prefix in common with earlier prompts, in whole blocks of 64 tokens, as vLLM's
automatic prefix caching has them. A block is known by a hash of all the text up to its end. It is
in the cache as soon as the request that brought it has been read; so of equal prompts that arrive
together each is read. The last token of a prompt is never taken from the cache, since the first
token of the answer follows from it. Answers are not put into the cache: their text comes back with
the next request. The cache holds four million tokens, and forgets what was used longest ago.

Source: vLLM's design document, "Automatic Prefix Caching".
"""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import takewhile
from threading import Lock

import msgspec

from ..scenario import PrefillSpec
from ..workload.script import ModelCallScript
from .sent import CHARACTERS_PER_TOKEN, tokens_sent

BLOCK_TOKENS = 64
_BLOCK_CHARACTERS = BLOCK_TOKENS * CHARACTERS_PER_TOKEN
_MOST_BLOCKS = 1 << 16
_DIGEST_BYTES = 16
_SECOND_NS = 1_000_000_000


class Prompt(msgspec.Struct, frozen=True):
    """A prompt as the model reads it.

    Attributes:
        tokens: Tokens of the prompt.
        cached_tokens: Those that need not be read again.
        prefill_ns: Nanoseconds that the others take to read.
        blocks: The hashes of its blocks, if prefixes are cached.
    """

    tokens: int
    cached_tokens: int = 0
    prefill_ns: int = 0
    blocks: tuple[bytes, ...] = ()

    def read_by(self, call: ModelCallScript) -> ModelCallScript:
        """Return a call of the script with the tokens of this prompt, and the time to read it."""
        ttft_ns = None if call.ttft_ns is None else call.ttft_ns + self.prefill_ns
        latency_ns = call.latency_ns + self.prefill_ns
        return replace(call, prompt_tokens=self.tokens, latency_ns=latency_ns, ttft_ns=ttft_ns)


class Prefill:
    """Reads the prompts of one model's server; safe for threads.

    Args:
        spec: How fast it reads, and whether it caches prefixes.
    """

    def __init__(self, spec: PrefillSpec) -> None:
        self._spec = spec
        self._lock = Lock()
        # When each block is there, on the clock; the one that was used last is the last.
        self._known_ns: dict[bytes, int] = {}

    def prompt_of(self, text: str, now_ns: int) -> Prompt:
        """Return the prompt of a request that arrives now.

        Args:
            text: The text of the request.
            now_ns: The time on the clock.
        """
        tokens = tokens_sent(text)
        blocks = tuple(_blocks(text)) if self._spec.caches_prefixes else ()
        cached = min(self._cached(blocks, now_ns), (tokens - 1) // BLOCK_TOKENS) * BLOCK_TOKENS
        rate = self._spec.tokens_per_s
        prefill_ns = 0 if rate is None else round((tokens - cached) * _SECOND_NS / rate)
        return Prompt(tokens, cached, prefill_ns, blocks)

    def has_read(self, prompt: Prompt, at_ns: int) -> None:
        """Put the prompt of a request that was admitted into the cache.

        Args:
            prompt: The prompt.
            at_ns: When all of it is read, on the clock.
        """
        if not prompt.blocks:
            return
        with self._lock:
            known_ns = self._known_ns
            # From its end: a block without those before it would be of no use.
            for block in reversed(prompt.blocks):
                before_ns = known_ns.pop(block, at_ns)
                known_ns[block] = min(before_ns, at_ns)
            while len(known_ns) > _MOST_BLOCKS:
                del known_ns[next(iter(known_ns))]

    def _cached(self, blocks: tuple[bytes, ...], now_ns: int) -> int:
        """Return how many blocks of a prompt, from its begin, are in the cache."""
        with self._lock:
            known_ns = self._known_ns
            is_there = takewhile(lambda block: known_ns.get(block, now_ns + 1) <= now_ns, blocks)
            return sum(1 for _ in is_there)


def _blocks(text: str) -> Iterator[bytes]:
    """Yield the hash of each whole block, and of all that is before it."""
    hashed = blake2b(digest_size=_DIGEST_BYTES)
    for end in range(_BLOCK_CHARACTERS, len(text) + 1, _BLOCK_CHARACTERS):
        hashed.update(text[end - _BLOCK_CHARACTERS : end].encode(errors="surrogatepass"))
        yield hashed.digest()
