"""Draws of what a request to a service meets: by the request itself, and how often it was made.

So neither latency nor fault depends on the order in which a strategy asks. A second attempt is the
same request again.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from random import Random
from threading import Lock

from ..scenario.bounds import latency_ns
from ..scenario.distributions import Constant, Distribution
from ..scenario.faults import FaultSpec, draw_fault
from ..wire.broken_replies import ErrorBody, failed
from ..wire.reply import Reply

_UNKNOWN = -1
_DIGEST_BYTES = 16


class RequestDraws:
    """What the requests of one trial meet; safe for threads.

    Args:
        stream: Seeds the draws.
        kept: How many requests are remembered at most, for a server that runs without an end:
            who asks for the first time again meets what it met then. ``None``: all of them.
    """

    def __init__(self, stream: str, kept: int | None = None) -> None:
        self._stream = stream
        self._kept = kept
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far."""
        self._asked: dict[bytes, int] = {}

    def reply(
        self,
        asked: str,
        latency: Distribution,
        faults: Sequence[FaultSpec],
        reply_at: Callable[[int], Reply],
        error: tuple[Mapping[str, str], ErrorBody],
    ) -> Reply:
        """Return the reply to a request.

        Args:
            asked: What tells the request from others.
            latency: Seconds of an answer.
            faults: What goes wrong.
            reply_at: Makes the reply without a fault, of when it is sent in nanoseconds.
            error: Headers of an error, and what writes its body.
        """
        if isinstance(latency, Constant) and not faults:
            return reply_at(latency_ns(latency.value))
        times = self._times(asked)
        stream = f"{self._stream}/{asked}/{times}"
        reply = reply_at(latency_ns(latency.draw(Random(stream))))
        if not faults:
            return reply
        fault = draw_fault(faults, Random(f"{stream}/fault"), _UNKNOWN, _UNKNOWN, times)
        return reply if fault is None else failed(reply, fault, *error)

    def _times(self, asked: str) -> int:
        """Count a request; return how often it was made."""
        # What is kept of a request is small, however large it is.
        key = blake2b(asked.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()
        with self._lock:
            times = self._asked.pop(key, 0) + 1
            self._asked[key] = times  # the one that was made last is the last
            if self._kept is not None and len(self._asked) > self._kept:
                del self._asked[next(iter(self._asked))]
        return times
