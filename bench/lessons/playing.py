"""Plays a lesson: each act on a virtual clock of its own."""

import asyncio
import warnings
from collections.abc import Mapping

from ...mocks.clock import VirtualClock, keeping_time
from ..results.lesson import Act, Lesson, Played
from ..trial.loops import require_loop
from .stage import Stage


def play(lesson: Lesson) -> Mapping[str, Played]:
    """Play a lesson; return what was seen of each act, by the act's name.

    Raises:
        UsageError: This Python lacks what the lesson is about.
    """
    return {act.__name__: _play(act, lesson.loop_of(act)) for act in lesson.acts}


def _play(act: Act, loop: str) -> Played:
    new_loop = require_loop(loop).create
    clock = VirtualClock()
    stage = Stage(clock)

    async def main() -> None:
        await act(stage)

    with keeping_time(clock), warnings.catch_warnings():
        # A lesson may leave a coroutine unawaited: that is what it shows.
        warnings.simplefilter("ignore", RuntimeWarning)
        with asyncio.Runner(loop_factory=lambda: new_loop(clock)) as runner:
            runner.run(main())
            return stage.played()
