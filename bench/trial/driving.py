"""Drives a strategy on an event loop, to its end, whatever the sessions do to that loop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Protocol

Work = Coroutine[object, object, object]


class Watched(Protocol):
    """The sessions of one drive, watched: a probe."""

    @property
    def running(self) -> int:
        """Sessions that have begun and not ended."""
        ...

    def not_begun(self, tasks: Sequence[str]) -> list[str]:
        """Return those of some tasks whose sessions have not begun."""
        ...


class LoopDriver:
    """Runs what a strategy returns; called like the strategy itself, with who watches last.

    A session may cancel every task of the loop, the strategy's own among them. That is the
    outcome of the sessions in flight. Those that have not begun are nobody's to cancel: the
    strategy is run again, for them.

    Args:
        runner: Has the loop.
        run: The strategy.
        timing: Wraps it for the loop.
        owns_process: Whether Ctrl-C can only come from a session.
    """

    def __init__(
        self,
        runner: asyncio.Runner,
        run: Callable[..., Work],
        timing: Callable[[Work], Work],
        *,
        owns_process: bool,
    ) -> None:
        self._runner = runner
        self._run = run
        self._timing = timing
        self._raised_by_sessions = (
            (KeyboardInterrupt, SystemExit) if owns_process else (SystemExit,)
        )
        self._work: Work | None = None

    def __call__(
        self, session: object, tasks: Sequence[str], concurrency: int, watched: Watched
    ) -> None:
        """Run the strategy until the session of each task has ended.

        Raises:
            CancelledError: The strategy ends so without having begun a session.
        """
        while True:
            try:
                self._run_once(session, tasks, concurrency)
            except asyncio.CancelledError:
                self._runner.run(_all_ended(watched))
                left = watched.not_begun(tasks)
                if len(left) == len(tasks):
                    raise
                tasks = left
            else:
                return
            if not tasks:
                return

    def task(self) -> "asyncio.Task[object] | None":
        """Return the task that the strategy runs in, until it has ended."""
        tasks = asyncio.all_tasks(self._runner.get_loop())
        return next((task for task in tasks if task.get_coro() is self._work), None)

    def _run_once(self, *arguments: object) -> None:
        self._work = self._timing(self._run(*arguments))
        try:
            self._runner.run(self._work)
        except (*self._raised_by_sessions, RuntimeError):
            # A task that a session has started let it out of the loop: it is the session's, too,
            # if that awaits the task. Or a session has stopped the loop. The others go on.
            task = self.task()
            if task is None:
                raise
            loop = self._runner.get_loop()
            while not task.done():
                if not _can_run(loop):
                    raise
                with suppress(*self._raised_by_sessions, RuntimeError):
                    loop.run_until_complete(task)
            task.result()
        finally:
            self._work = None


def _can_run(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return not loop.is_closed()
    return False


async def _all_ended(watched: Watched) -> None:
    """Wait for the sessions that have begun: one may have ignored that it was cancelled."""
    this = asyncio.current_task()
    while watched.running:
        others = asyncio.all_tasks() - {this}
        if not others:  # what runs is no task of this loop
            return
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
