"""uvloop makes the loop cheaper; it does not make waiting shorter."""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import uvloop

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage

_ROUNDS = 20_000


async def on_asyncio(stage: Stage) -> None:
    await asyncio.gather(*(stage.waits(f"task {n}", 1 + n / 10) for n in range(4)))


async def on_uvloop(stage: Stage) -> None:
    await asyncio.gather(*(stage.waits(f"task {n}", 1 + n / 10) for n in range(4)))


async def gives_way() -> None:
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


def _cost_us(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> float:
    """Return what it costs to give way once on a loop as it is without the lab, in CPU."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        began_ns = time.thread_time_ns()
        runner.run(gives_way())
        return (time.thread_time_ns() - began_ns) / _ROUNDS / 1000


def _seen(played: Mapping[str, Played]) -> Seen:
    plain, uv = played["on_asyncio"], played["on_uvloop"]
    plain_us, uv_us = _cost_us(asyncio.SelectorEventLoop), _cost_us(uvloop.new_event_loop)
    return Seen(
        plain.segments == uv.segments and plain.took_ns == uv.took_ns,
        {"asyncio_us": plain_us, "uvloop_us": uv_us},
    )


LESSON = Lesson(
    name="uvloop",
    claim="uvloop makes the loop cheaper; it does not make waiting shorter.",
    why="uvloop does the loop's own work in C: polling, timers, sockets. An agent that waits for a "
    "model gains nothing until so many sessions run that the loop itself is busy.",
    acts=(on_asyncio, on_uvloop),
    seen=_seen,
    loops=MappingProxyType({"on_uvloop": "uvloop"}),
)
