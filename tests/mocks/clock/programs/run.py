"""What the actors of one run of a program share: its parts, its time, its log."""

import asyncio
import concurrent.futures
import contextlib
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from .program import PARTS, Ending, Program

_JITTER = 0.02
_MOST_DELAY, _FASTER = 0.002, 1_000
_MANY = 100


class Run:
    """One run of a program."""

    def __init__(self, program: Program, unit_s: float, jitter: int | None) -> None:
        self.program = program
        self.unit_s = unit_s
        self.jitter = jitter
        self.log: list[Ending] = []
        self.parts = {name: PARTS[name]() for name in sorted(program.older)}
        self.closed = False
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.later: list[concurrent.futures.Future[None]] = []
        self.spawned: list[threading.Thread] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    def __getitem__(self, name: str) -> Any:
        return self.parts[name]

    def begin(self) -> None:
        """Make what is still missing, and start its time."""
        for name in sorted(PARTS.keys() - self.parts.keys()):
            self.parts[name] = PARTS[name]()
        self.start_s = time.monotonic()

    def close(self) -> None:
        """Let come whatever is still waited for."""
        if self.closed:
            return
        self.closed = True
        self["event"].set()
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self["future"].set_result("closed")
        for name in ("lifo", "simple"):
            for _ in range(_MANY):
                self[name].put("closed")
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self.loop.call_soon_threadsafe(self["async event"].set)

    # ---- time ---------------------------------------------------------------------------

    def pauses(self, who: str) -> Callable[[int], float]:
        """Return what tells an actor how long to wait, in seconds."""
        if self.jitter is None:
            return lambda units: units * self.unit_s
        # Mirrored, so that what two waits of equal length decide goes the other way once.
        chance, most = random.Random(f"{self.jitter // 2} {who}"), (-1) ** self.jitter * _JITTER
        return lambda units: max(0, units + chance.uniform(-most, most)) * self.unit_s

    def delay_s(self, who: str) -> float:
        """Return how long an actor waits before each step, in seconds.

        Of actors that are woken together, and want the same next, now one is first, now another,
        be it some steps later; and one who lets go of a lock and wants it again is overtaken by one
        who waits for it.
        """
        if self.jitter is None:
            return 0.0
        chance = random.Random(f"{self.jitter // 2} delay {who}")
        haste = chance.random()
        slower = float(_FASTER ** -(1 - haste if self.jitter % 2 else haste))
        return _MOST_DELAY * self.unit_s * slower

    async def give_way(self) -> None:
        """Let threads go first that were handed something at this moment, in half of the runs.

        Whether a loop that was blocked hears from them before its next step is up to the loop's
        kind, and to who gets the interpreter's lock: waits that vary leave it as it is.
        """
        if self.jitter is not None and self.jitter // 2 % 2:
            # For longer than the jitter makes of no wait at all.
            await asyncio.sleep(2 * _JITTER * self.unit_s)

    def note(self, who: str, number: int, what: str, how: object) -> None:
        passed_s = time.monotonic() - self.start_s
        self.log.append((who, number, what, str(how), round(passed_s / self.unit_s)))
