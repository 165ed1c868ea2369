"""Why a semaphore: a server serves so many, and refuses the others."""

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
    free, held = played["everyone_at_once"], played["behind_a_semaphore"]
    return Seen(
        (len(free.said), len(held.said), held.took_s) == (CALLS - PLACES, 0, CALLS / PLACES),
        f"at once {len(free.said)} of {CALLS} were refused; behind a semaphore of {PLACES} "
        f"{len(held.said)} were, in {held.took_s:g} s",
    )


LESSON = Lesson(
    name="semaphores",
    claim="A semaphore keeps the load where the server still serves.",
    why="asyncio starts as many tasks as it is given. A model serves so many, then queues or "
    "refuses; a pool has so many connections. A semaphore is that number, said in one place.",
    acts=(everyone_at_once, behind_a_semaphore),
    seen=_seen,
)
