"""A coroutine is not run by calling it."""

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
        f"called it took {called.took_s:g} s and nobody waited; awaited it took "
        f"{awaited.took_s:g} s",
    )


LESSON = Lesson(
    name="coroutines",
    claim="A coroutine is not run by calling it.",
    why="Calling an `async def` makes an object that could run, as a generator does. It runs when "
    "it is awaited, or made a task. Python warns of one that never was.",
    acts=(called_only, awaited),
    seen=_seen,
)
