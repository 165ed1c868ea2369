"""Progress of a run: a live view on a terminal, plain lines elsewhere."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.formatting import name, percent, plain, rate, seconds, whole
from ...bench.results.records import CellResult, Status
from ..comparison.columns import precision
from ..comparison.own_wait_text import ideal_name
from ..comparison.ranking import label

_MOST_ROWS = 12
_REFRESHES_PER_S = 4


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

    def trial_ends(self, so_far: Callable[[], CellResult]) -> None:
        """A trial has ended; ``so_far`` returns the result of its cell so far."""
        ...

    def cell_ends(self, result: CellResult) -> None:
        """A cell has its result."""
        ...


def progress_on(console: Console) -> RunProgress:
    """Return the form of progress that suits the console."""
    return LiveView(console) if console.is_terminal else _ProgressLines(console)


class LiveView:
    """The cells so far at the load under way, ranked; the cell under way, a bar, the time left.

    Args:
        console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._results: dict[Cell, CellResult] = {}
        self._under_way: Cell | None = None
        self._live = Live(
            console=console,
            transient=True,
            refresh_per_second=_REFRESHES_PER_S,
            get_renderable=self.render,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        """Show which cell is under way, and how far the run is."""
        self._under_way = cell
        self._progress.update(self._task, description=_describe(cell), completed=done, total=total)

    def trial_ends(self, so_far: Callable[[], CellResult]) -> None:
        """Put its cell in its place; trials of other cells may be under way beside it."""
        result = so_far()
        self._results[result.cell] = result

    def cell_ends(self, result: CellResult) -> None:
        """Leave a failure on the screen."""
        if result.status is Status.FAILED:
            self._console.print(
                f"{_describe(result.cell)}: {plain(result.error or '')}",
                style="red",
                markup=False,
                highlight=False,
            )

    def render(self) -> RenderableType:
        """Return the view of now."""
        ranked = self._ranked()
        return Group(_table(ranked), self._progress) if ranked else self._progress

    def _ranked(self) -> list[CellResult]:
        """Return the cells that compete with the one under way, the best first."""
        current = self._under_way
        if current is None:
            return []
        alike = [
            result
            for cell, result in list(self._results.items())
            if _contest(cell) == _contest(current)
        ]
        return sorted(alike, key=lambda cell: cell.achieved_per_s, reverse=True)


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

    def trial_ends(self, so_far: Callable[[], CellResult]) -> None:
        pass

    def cell_ends(self, result: CellResult) -> None:
        is_measured = result.status is Status.MEASURED
        outcome = _figures(result) if is_measured else plain(result.error or "")
        self._console.print(
            f"[{self._done + 1}/{self._total}] {_describe(result.cell)}: {outcome}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _table(ranked: list[CellResult]) -> Table:
    first = ranked[0]
    table = Table(
        box=None,
        pad_edge=False,
        header_style="dim",
        title=Text(
            f"{name(first.cell.scenario)}, concurrency {whole(first.cell.concurrency)}, so far"
        ),
        title_justify="left",
        caption=f"and {len(ranked) - _MOST_ROWS} more" if len(ranked) > _MOST_ROWS else None,
        caption_justify="left",
    )
    table.add_column("strategy", no_wrap=True)
    for heading in ("trials", "efficiency", "throughput", "± 95 % CI", "p99"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in ranked[:_MOST_ROWS]:
        table.add_row(
            Text(label(result.cell)),
            str(result.trials),
            percent(result.efficiency),
            rate(result.throughput_per_s),
            precision(result),
            seconds(result.latency_s.p99),
        )
    return table


def _contest(cell: Cell) -> tuple[object, ...]:
    factors = cell.scenario, cell.target, cell.transport, cell.clock, cell.arrivals
    return *factors, cell.workers, cell.concurrency


def _describe(cell: Cell) -> str:
    loop = "" if cell.loop == NO_LOOP else f" on {cell.loop}"
    return plain(f"{cell.scenario}: {cell.strategy}{loop}, concurrency {cell.concurrency}")


def _figures(result: CellResult) -> str:
    share = percent(result.efficiency)
    efficiency = "" if result.efficiency is None else f", {share} of {ideal_name(result)}"
    return f"makespan {seconds(result.makespan_s)}{efficiency}"
