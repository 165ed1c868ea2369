"""Calling a coroutine function does not run it."""

from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def called_only(stage: Stage) -> None:
    coroutine = stage.waits("tea", 1)  # nothing happens
    stage.says(f"there is {type(coroutine).__name__}")
    coroutine.close()


async def awaited(stage: Stage) -> None:
    await stage.waits("tea", 1)


def _seen(played: Mapping[str, Played]) -> Seen:
    called, awaited = played["called_only"], played["awaited"]
    return Seen(
        not called.segments and called.took_ns == 0 and awaited.took_s == 1,
        {"called_s": called.took_s, "awaited_s": awaited.took_s},
    )


LESSON = Lesson(
    name="coroutines",
    claim="Calling a coroutine function does not run it.",
    why="Calling an `async def` only returns a coroutine object. It runs when it is awaited, or "
    "wrapped in a task. Python warns if it never is.",
    acts=(called_only, awaited),
    seen=_seen,
)
