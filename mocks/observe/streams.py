"""Notes when the tokens of streamed model calls were taken up, in columns that stay small.

A streamed answer comes in pieces of one token or a few. Of each stream it is noted when its first
piece and its last were taken up, and its longest gap: eight numbers, however long the answer is.
The gaps themselves, the inter-token latencies (ITL), are counted by their length. So a million
pieces take no more memory than a few, and no gap is dropped from a percentile.
"""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from ..workload.numbers import session_of

MOST_EXACT = 1 << 16
"""So many different lengths of gaps are kept to the nanosecond."""

_KEPT_BITS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """The streamed model calls of a trial, in columns; and the tokens of all model calls.

    A call whose answer comes as a whole is no stream: it has no time to first token. Nor has an
    attempt that the model refused, or that failed before its answer began.

    Attributes:
        session: Number of the session of each stream; -1 if that is not known.
        ttft_ns: Nanoseconds from its request to its first token; -1 if it was left, or broke off,
            before that.
        longest_gap_ns: The longest time between two pieces; -1 for fewer than two.
        span_ns: From its first piece to its last.
        tokens: Tokens that were taken up, as the model reports them.
        gaps: How often each gap between two pieces came, by its length in nanoseconds. Lengths are
            exact until there are ``MOST_EXACT`` different ones; then they are rounded by at most
            0.05 %.
        prompt_tokens: Tokens of the prompts of all model calls, as the model reports them.
        completion_tokens: Tokens of their answers that were taken up.
    """

    session: tuple[int, ...] = ()
    ttft_ns: tuple[int, ...] = ()
    longest_gap_ns: tuple[int, ...] = ()
    span_ns: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()
    gaps: Mapping[int, int] = field(default_factory=dict, hash=False)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def booked_to(self, roots: Mapping[int, int]) -> "Streams":
        """Return the same, with streams of nested sessions and conversations booked to theirs."""
        booked = tuple(roots.get(each, session_of(each)) for each in self.session)
        return replace(self, session=booked)


class StreamMeter:
    """Notes streams; safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._session, self._start_ns = array("q"), array("q")
        self._first_ns, self._last_ns = array("q"), array("q")
        self._longest_gap_ns = array("q")
        self._taken, self._pieces, self._tokens = array("q"), array("q"), array("q")
        self._gaps: dict[int, int] = {}
        self._is_exact = True

    def begins(self, session: int, start_ns: int, pieces: int, tokens: int) -> int:
        """Note a stream that begins.

        Args:
            session: Number of the session.
            start_ns: When it was asked for, on the clock.
            pieces: Pieces of its answer.
            tokens: Tokens of its answer.

        Returns:
            Its number.
        """
        with self._lock:
            self._session.append(session)
            self._start_ns.append(start_ns)
            for column in (self._first_ns, self._last_ns, self._longest_gap_ns):
                column.append(-1)
            self._taken.append(0)
            self._pieces.append(pieces)
            self._tokens.append(tokens)
            return len(self._session) - 1

    def takes(self, stream: int, pieces: int, at_ns: int) -> None:
        """Note that pieces of a stream were taken up at one time.

        Args:
            stream: Number of the stream.
            pieces: How many, at least one.
            at_ns: When, on the clock.
        """
        with self._lock:
            taken = self._taken[stream]
            if taken:
                gap_ns = at_ns - self._last_ns[stream]
                if gap_ns > self._longest_gap_ns[stream]:  # noqa: PLR1730 - a call a piece
                    self._longest_gap_ns[stream] = gap_ns
                self._count(gap_ns, 1)
            else:
                self._first_ns[stream] = at_ns
            if pieces > 1:  # those of one time have no time between them
                self._longest_gap_ns[stream] = max(0, self._longest_gap_ns[stream])
                self._count(0, pieces - 1)
            self._last_ns[stream] = at_ns
            self._taken[stream] = taken + pieces

    def _count(self, gap_ns: int, count: int) -> None:
        gaps = self._gaps
        if not self._is_exact:
            gap_ns = rounded_ns(gap_ns)
        gaps[gap_ns] = gaps.get(gap_ns, 0) + count
        if self._is_exact and len(gaps) > MOST_EXACT:
            self._is_exact = False
            self._gaps = _rounded(gaps)

    def streams(self, prompt_tokens: int = 0, whole_tokens: int = 0) -> Streams:
        """Return what was noted, of streams that are not over, too.

        Args:
            prompt_tokens: Tokens of the prompts of all model calls.
            whole_tokens: Tokens of the answers that came as a whole.
        """
        with self._lock:
            tokens = tuple(
                whole * taken // pieces if pieces else 0
                for whole, taken, pieces in zip(
                    self._tokens, self._taken, self._pieces, strict=True
                )
            )
            begun = zip(self._start_ns, self._first_ns, strict=True)
            return Streams(
                session=tuple(self._session),
                ttft_ns=tuple(first - start if first >= 0 else -1 for start, first in begun),
                longest_gap_ns=tuple(self._longest_gap_ns),
                span_ns=tuple(
                    last - first for first, last in zip(self._first_ns, self._last_ns, strict=True)
                ),
                tokens=tokens,
                gaps=dict(sorted(self._gaps.items())),
                prompt_tokens=prompt_tokens,
                completion_tokens=whole_tokens + sum(tokens),
            )


def rounded_ns(length_ns: int) -> int:
    """Return a length rounded to eleven binary digits: by at most 0.05 %."""
    shift = max(0, length_ns.bit_length() - _KEPT_BITS)
    return (length_ns + (1 << shift >> 1)) >> shift << shift


def _rounded(counts: Mapping[int, int]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for length_ns, count in counts.items():
        found[rounded_ns(length_ns)] += count
    return dict(found)
