"""Tasks switch only at ``await``: between two awaits no other task runs."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def with_awaits(stage: Stage) -> None:
    async def counts(name: str) -> None:
        for number in range(3):
            stage.says(f"{name}{number}")
            await asyncio.sleep(0)

    await asyncio.gather(counts("a"), counts("b"))


async def without_awaits(stage: Stage) -> None:
    async def counts(name: str) -> None:
        for number in range(3):
            stage.says(f"{name}{number}")

    await asyncio.gather(counts("a"), counts("b"))


def _seen(played: Mapping[str, Played]) -> Seen:
    taking_turns, in_one_go = played["with_awaits"].words, played["without_awaits"].words
    return Seen(
        taking_turns == ("a0", "b0", "a1", "b1", "a2", "b2")
        and in_one_go == ("a0", "a1", "a2", "b0", "b1", "b2"),
        {"with_awaits": taking_turns, "without": in_one_go},
    )


LESSON = Lesson(
    name="giving-way",
    claim="Tasks switch only at `await`; between two awaits no other task runs.",
    why="One thread runs all tasks. It switches to another task only where a task awaits something "
    "that is not ready. So code between two awaits needs no lock, and code without an await "
    "blocks every other task.",
    acts=(with_awaits, without_awaits),
    seen=_seen,
)
