"""Where the time of a session went, as a value whose parts add up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from ...mocks.clock import NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeParts:
    """Where the time of a session went; the parts add up to its latency.

    Attributes:
        llm: Waits for the model on the session's path.
        tool: Waits for tools and services on its path.
        serialised: Waits for tools that could have overlapped, and did not.
        admission: Waits for a place: under the concurrency limit, or in a pool of threads.
        connection: Requests waited for a free connection of their HTTP client's pool.
        ready: A wait was over, or code could go on, and it did not run yet: the event loop or
            the interpreter was busy.
        retry: Failed attempts, and the back-off before the next.
        cpu: The session's own computing.
        remainder: Waiting inside the target's own code.
    """

    llm: float = 0
    tool: float = 0
    serialised: float = 0
    admission: float = 0
    connection: float = 0
    ready: float = 0
    retry: float = 0
    cpu: float = 0
    remainder: float = 0


PART_NAMES = tuple(part.name for part in fields(TimeParts))


def mean_parts(parts: Sequence[TimeParts]) -> TimeParts:
    """Return the mean of each part, of at least one session; the means add up as well."""
    return TimeParts(**{name: fmean(getattr(each, name) for each in parts) for name in PART_NAMES})


def in_seconds(parts_ns: TimeParts) -> TimeParts:
    """Return parts in nanoseconds as seconds."""
    return TimeParts(
        **{name: getattr(parts_ns, name) / NANOSECONDS_PER_SECOND for name in PART_NAMES}
    )
