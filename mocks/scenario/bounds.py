"""Bounds of waits and counts, for drawn, declared and recorded values alike."""

MAX_LATENCY_S = 1e9
"""Longest wait, about 31 years, which fits into 64 bits of nanoseconds."""

MAX_TOKENS = 10_000_000


def latency_ns(seconds: float) -> int:
    """Return a wait in nanoseconds, in whole microseconds and at most ``MAX_LATENCY_S``.

    The C library's ``exp`` and ``log`` differ between machines in the last digit of a
    float. Rounded a billion times more coarsely than that, the scripts are the same.
    """
    return round(min(seconds, MAX_LATENCY_S) * 1e6) * 1_000
