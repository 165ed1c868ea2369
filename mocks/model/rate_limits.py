"""What the model's server lets through: rate limits, and requests served at one time.

Each limit is a bucket that holds the amount of a minute and fills continuously, as those of the
real APIs do. What is served at one time is a queue, first come first served. Since every
answer's length is in the script, the queue needs no waiting room: a request knows on arrival
when its turn comes. One whose client has gone is served all the same.
"""

from dataclasses import dataclass
from heapq import heappush, heapreplace
from typing import Protocol

import msgspec

from ..scenario import ModelLimits
from .answer import Allowance, Allowances

_MINUTE_NS = 60_000_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of a request.

    Attributes:
        allowances: The remaining allowances after the request.
        queued_ns: Nanoseconds that the request waits until it is served.
        retry_after_ns: Nanoseconds until a refused request can be admitted.
    """

    allowances: Allowances
    queued_ns: int = 0
    retry_after_ns: int | None = None


class CapacityState(msgspec.Struct, frozen=True):
    """What a server remembers of the requests so far.

    Attributes:
        requests: What is left of the limit of requests, in the units of its bucket, and when that
            was so, in nanoseconds; ``None`` before the first.
        tokens: Likewise of tokens.
        free_at_ns: When each of those that serve is free.
    """

    requests: tuple[int, int] | None = None
    tokens: tuple[int, int] | None = None
    free_at_ns: tuple[int, ...] = ()


NOBODY_ASKED = CapacityState()
"""What a server remembers that nobody has asked."""


class Admits(Protocol):
    """What admits requests to a server."""

    def admit(self, now_ns: int, tokens: int, service_ns: int) -> Admission:
        """Admit a request, or refuse it; see ``Capacity``."""
        ...


class _Bucket:
    """A limit per minute; it holds at most the amount of a minute, and starts full.

    Args:
        limit: The limit.
        state: How full it is, and since when, if it has been asked before; see ``state``.
    """

    def __init__(self, limit: int, state: tuple[int, int] | None) -> None:
        self._limit = limit
        # In units of one sixty-billionth, which is what flows in within a nanosecond.
        self._full = limit * _MINUTE_NS
        self._level = self._full
        self._at_ns: int | None = None
        if state is not None:
            self._level, self._at_ns = state

    @property
    def state(self) -> tuple[int, int] | None:
        """How full it is, in units, and at which time; ``None`` if it was never asked."""
        return None if self._at_ns is None else (self._level, self._at_ns)

    def fill(self, now_ns: int) -> None:
        if self._at_ns is not None:
            flown = max(0, now_ns - self._at_ns) * self._limit
            self._level = min(self._full, self._level + flown)
        # Requests of other connections may be processed in another order.
        self._at_ns = now_ns if self._at_ns is None else max(self._at_ns, now_ns)

    def lacks_ns(self, amount: int) -> int:
        """Return how long until ``amount`` is available, or until the bucket is full."""
        missing = min(amount * _MINUTE_NS, self._full) - self._level
        return max(0, -(-missing // self._limit))

    def take(self, amount: int) -> None:
        self._level = max(0, self._level - amount * _MINUTE_NS)

    def allowance(self) -> Allowance:
        reset_ns = (self._full - self._level) // self._limit
        return Allowance(self._limit, self._level // _MINUTE_NS, reset_ns / _SECOND_NS)


class Capacity:
    """Admits requests in the order of their arrival; the caller must hold a lock.

    Args:
        limits: What is let through.
        state: What it remembers of requests before.
    """

    def __init__(self, limits: ModelLimits, state: CapacityState = NOBODY_ASKED) -> None:
        requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
        self._requests = _Bucket(requests, state.requests) if requests else None
        self._tokens = _Bucket(tokens, state.tokens) if tokens else None
        self._served = limits.concurrency
        self._free_at_ns = list(state.free_at_ns)

    def state(self) -> CapacityState:
        """Return what it remembers: another one that begins with it goes on as this one would."""
        return CapacityState(
            None if self._requests is None else self._requests.state,
            None if self._tokens is None else self._tokens.state,
            tuple(self._free_at_ns),
        )

    def admit(self, now_ns: int, tokens: int, service_ns: int) -> Admission:
        """Admit a request, or refuse it.

        Args:
            now_ns: When the request arrives, in nanoseconds.
            tokens: Tokens that the request takes of the limit, prompt and completion.
            service_ns: Nanoseconds for which the request is served.
        """
        buckets = [
            (bucket, amount)
            for bucket, amount in ((self._requests, 1), (self._tokens, tokens))
            if bucket is not None
        ]
        for bucket, _ in buckets:
            bucket.fill(now_ns)
        lacking_ns = max((bucket.lacks_ns(amount) for bucket, amount in buckets), default=0)
        if lacking_ns > 0:
            return Admission(self._allowances(), retry_after_ns=lacking_ns)
        for bucket, amount in buckets:
            bucket.take(amount)
        return Admission(self._allowances(), self._queued_ns(now_ns, service_ns))

    def _queued_ns(self, now_ns: int, service_ns: int) -> int:
        if self._served is None:
            return 0
        if len(self._free_at_ns) < self._served:
            heappush(self._free_at_ns, now_ns + service_ns)
            return 0
        begin_ns = max(now_ns, self._free_at_ns[0])
        heapreplace(self._free_at_ns, begin_ns + service_ns)
        return begin_ns - now_ns

    def _allowances(self) -> Allowances:
        return Allowances(
            self._requests.allowance() if self._requests else None,
            self._tokens.allowance() if self._tokens else None,
        )
