"""A semaphore keeps the load at what the server can serve."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage

PLACES = 2
CALLS = 6


class Model:
    """Serves two requests at a time, and refuses others."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.served = 0

    async def ask(self, name: str) -> None:
        """Answer in one second, or refuse."""
        if self.served == PLACES:
            self.stage.says(f"{name}: 429")
            return
        self.served += 1
        await self.stage.waits(name, 1)
        self.served -= 1


async def everyone_at_once(stage: Stage) -> None:
    model = Model(stage)
    await asyncio.gather(*(model.ask(f"call {n}") for n in range(CALLS)))


async def behind_a_semaphore(stage: Stage) -> None:
    model, places = Model(stage), asyncio.Semaphore(PLACES)

    async def asks(name: str) -> None:
        async with places:
            await model.ask(name)

    await asyncio.gather(*(asks(f"call {n}") for n in range(CALLS)))


def _seen(played: Mapping[str, Played]) -> Seen:
    free, limited = played["everyone_at_once"], played["behind_a_semaphore"]
    return Seen(
        (len(free.said), len(limited.said), limited.took_s) == (CALLS - PLACES, 0, CALLS / PLACES),
        {
            "calls": CALLS,
            "places": PLACES,
            "refused": len(free.said),
            "refused_with_semaphore": len(limited.said),
            "with_semaphore_s": limited.took_s,
        },
    )


LESSON = Lesson(
    name="semaphores",
    claim="A semaphore keeps the load at what the server can serve.",
    why="asyncio starts as many tasks as it is given. A model serves a limited number of requests "
    "at a time, then queues or refuses; a connection pool has a limited size. A semaphore states "
    "that number in one place.",
    acts=(everyone_at_once, behind_a_semaphore),
    seen=_seen,
)
