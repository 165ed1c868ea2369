"""How far a command has got, on stderr: as much of it as was asked for."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import track

from ...mocks.errors import UsageError
from ...reports.terminal.progress import progress_on
from ..results.cell import Cell
from ..results.records import CellResult
from ..runner.measurement import Observer
from ..trial.spec import TrialSpec
from .options import Messages


def stderr_for(messages: Messages) -> Console:
    """Return the console that progress goes to; a silent one if quiet was asked for.

    Raises:
        UsageError: Both more and less were asked for.
    """
    if messages.quiet and messages.verbose:
        raise UsageError("--quiet and --verbose: leave one of them out")
    return Console(stderr=True, quiet=messages.quiet)


def detail_for(messages: Messages) -> Callable[[str], None]:
    """Return what shows a line that is only of interest if more was asked for."""
    console = stderr_for(messages)

    def tell(line: str) -> None:
        if messages.verbose:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return tell


@contextmanager
def run_progress(messages: Messages) -> Iterator[Observer]:
    """Show how a run gets on."""
    console = stderr_for(messages)
    with progress_on(console) as progress:
        yield _TrialLines(progress, console) if messages.verbose else progress


class _TrialLines:
    """Says of each trial that it begins, and passes on everything.

    Args:
        shown: What shows the run besides.
        console: Where the lines go.
    """

    def __init__(self, shown: Observer, console: Console) -> None:
        self._shown = shown
        self._console = console
        self._began_s = time.monotonic()

    def trial_begins(self, cell: Cell, done: int, total: int) -> None:
        elapsed_s = time.monotonic() - self._began_s
        _say(self._console, elapsed_s, f"trial {done + 1} of {total} begins", cell.name)
        self._shown.trial_begins(cell, done, total)

    def trial_ends(self, so_far: Callable[[], CellResult]) -> None:
        self._shown.trial_ends(so_far)

    def cell_ends(self, result: CellResult) -> None:
        self._shown.cell_ends(result)


def measuring_progress(
    names: Sequence[str], messages: Messages
) -> Callable[[Iterator[object]], Iterator[object]]:
    """Return what shows, while it passes results on, how many of the cells have one."""
    console = stderr_for(messages)

    def passed_on(results: Iterator[object]) -> Iterator[object]:
        began_s = time.monotonic()
        shown = results
        # Where nobody looks, rich would still start a thread.
        if console.is_terminal and not messages.quiet:
            shown = iter(
                track(results, "measuring", total=len(names), console=console, transient=True)
            )
        for number, result in enumerate(shown):
            if messages.verbose:
                cell = f"cell {number + 1} of {len(names)}"
                _say(console, time.monotonic() - began_s, f"{cell} measured", names[number])
            yield result

    return passed_on


def announced(specs: Sequence[TrialSpec], messages: Messages) -> Iterator[TrialSpec]:
    """Return cells that run in this process one by one; say of each that it begins, if asked to.

    A bar is drawn by a thread, which would stand in their profiles.
    """
    console = stderr_for(messages)

    def passed_on() -> Iterator[TrialSpec]:
        began_s = time.monotonic()
        for number, spec in enumerate(specs, 1):
            if messages.verbose:
                cell = f"cell {number} of {len(specs)}"
                _say(console, time.monotonic() - began_s, f"{cell} begins", spec.cell.name)
            yield spec

    return passed_on()


def _say(console: Console, elapsed_s: float, what: str, name: str) -> None:
    console.print(
        f"{elapsed_s:8.1f} s  {what}: {name}", markup=False, highlight=False, soft_wrap=True
    )


@contextmanager
def comparing_progress(messages: Messages) -> Iterator[Callable[[int, int], None]]:
    """Show how many blocks were measured, and how many cells are open."""
    console = stderr_for(messages)
    with console.status("comparing: nothing measured yet") as status:

        def progress(blocks: int, open_cells: int) -> None:
            text = f"comparing: {blocks} blocks, {open_cells} cells open"
            status.update(text)
            if messages.verbose:
                console.print(text, markup=False, highlight=False)

        yield progress
