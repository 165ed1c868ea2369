"""Drives a strategy on an event loop, to its end, whatever the sessions' own tasks raise."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

Work = Coroutine[object, object, object]


class LoopDriver:
    """Runs what a strategy returns; called like the strategy itself.

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

    def __call__(self, *arguments: object) -> object:
        """Run the strategy to its end."""
        self._work = self._timing(self._run(*arguments))
        try:
            return self._runner.run(self._work)
        except self._raised_by_sessions:
            # A task that a session has started let it out of the loop. It is the session's, too,
            # if that awaits the task; the others go on.
            task = self.task()
            if task is None:
                raise
            return self._run_on(task)
        finally:
            self._work = None

    def task(self) -> "asyncio.Task[object] | None":
        """Return the task that the strategy runs in, until it has ended."""
        tasks = asyncio.all_tasks(self._runner.get_loop())
        return next((task for task in tasks if task.get_coro() is self._work), None)

    def _run_on(self, task: "asyncio.Task[object]") -> object:
        while not task.done():
            with suppress(*self._raised_by_sessions):
                self._runner.get_loop().run_until_complete(task)
        return task.result()
