"""The connection pools of HTTP clients that were too small, as values; and counts them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """Clients of one library with pools of one size, in which requests waited for a connection.

    Attributes:
        client: Name of the library, ``httpx2`` for instance.
        most: How many connections a pool may have.
        waits: Requests that waited for a free one.
        timeouts: Those of them that gave up, after the client's timeout for that.
    """

    client: str
    most: int
    waits: int = 0
    timeouts: int = 0


class PoolUses:
    """Counts the requests that waited for a connection; from several threads, under a lock."""

    def __init__(self) -> None:
        self._waits: Counter[tuple[str, int]] = Counter()
        self._timeouts: Counter[tuple[str, int]] = Counter()

    def waits(self, client: str, most: int) -> None:
        """Count a request that waits."""
        self._waits[client, most] += 1

    def times_out(self, client: str, most: int) -> None:
        """Count one that gave up."""
        self._timeouts[client, most] += 1

    def noted(self) -> tuple[PoolUse, ...]:
        """Return what was counted."""
        return tuple(
            PoolUse(client=client, most=most, waits=waits, timeouts=self._timeouts[client, most])
            for (client, most), waits in self._waits.items()
        )


def summed(uses: Iterable[PoolUse]) -> tuple[PoolUse, ...]:
    """Sum up by library and size: what most requests waited for comes first."""
    waits: Counter[tuple[str, int]] = Counter()
    timeouts: Counter[tuple[str, int]] = Counter()
    for each in uses:
        waits[each.client, each.most] += each.waits
        timeouts[each.client, each.most] += each.timeouts
    return tuple(
        PoolUse(client=client, most=most, waits=count, timeouts=timeouts[client, most])
        for (client, most), count in sorted(waits.items(), key=lambda item: (-item[1], item[0]))
    )
