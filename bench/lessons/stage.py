"""The stage of a lesson: where its acts play, and what notes what they do."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...mocks.clock import Clock
from ..results.lesson import Doing, Played, Segment


class Stage:
    """Where an act plays: ``waits`` is ``asyncio.sleep``, ``blocks`` is ``time.sleep``, both drawn.

    Args:
        clock: Keeps its time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._segments: list[Segment] = []
        self._said: list[tuple[int, str]] = []

    async def waits(self, lane: str, duration_s: float) -> None:
        """Wait, and let others run meanwhile."""
        with self._drawn(lane, Doing.WAITS):
            await asyncio.sleep(duration_s)

    def blocks(self, lane: str, duration_s: float) -> None:
        """Wait without giving way: the thread can do nothing else."""
        with self._drawn(lane, Doing.BLOCKS):
            time.sleep(duration_s)

    def says(self, text: str) -> None:
        """Note something, with its time."""
        self._said.append((self._now_ns(), text))

    def played(self) -> Played:
        """Return what was seen so far."""
        segments = tuple(sorted(self._segments, key=lambda each: each.begin_ns))
        return Played(segments, tuple(self._said), self._now_ns())

    @contextmanager
    def _drawn(self, lane: str, doing: Doing) -> Iterator[None]:
        begin_ns = self._now_ns()
        is_cut_short = True
        try:
            yield
            is_cut_short = False
        finally:
            self._segments.append(Segment(lane, doing, begin_ns, self._now_ns(), is_cut_short))

    def _now_ns(self) -> int:
        return self._clock.now_ns() - self._began_ns
