"""How a run gets on: a bar on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..bench.record import NO_LOOP, Cell, CellResult, Status


class RunProgress(Protocol):
    """An observer of a run that has a beginning and an end."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        """A trial begins, ``done`` of ``total`` before it."""
        ...

    def cell_ends(self, result: CellResult) -> None:
        """A cell has its result."""
        ...


def progress_on(console: Console) -> RunProgress:
    """Return the form of progress that suits the console."""
    return _ProgressBar(console) if console.is_terminal else _ProgressLines(console)


class _ProgressBar:
    """The cell under way, a bar, and the time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        self._progress.update(self._task, description=_describe(cell), completed=done, total=total)

    def cell_ends(self, result: CellResult) -> None:
        if result.status is Status.FAILED:
            self._progress.console.print(
                f"{_describe(result)}: {result.error}", style="red", markup=False, highlight=False
            )


class _ProgressLines:
    """One line a finished cell; which trial is under way shows in the count alone."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._done = 0
        self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:  # noqa: ARG002
        self._done, self._total = done, total

    def cell_ends(self, result: CellResult) -> None:
        outcome = result.error if result.status is not Status.MEASURED else _figures(result)
        self._console.print(
            f"[{self._done + 1}/{self._total}] {_describe(result)}: {outcome}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _describe(cell: Cell) -> str:
    loop = "" if cell.loop == NO_LOOP else f" on {cell.loop}"
    return f"{cell.scenario}: {cell.strategy}{loop}, {cell.concurrency} at once"


def _figures(result: CellResult) -> str:
    efficiency = "" if result.efficiency is None else f", {result.efficiency:.0%} of the ideal"
    return f"makespan {result.makespan_s:.3f} s{efficiency}"
