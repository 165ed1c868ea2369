"""How far a command has got, on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import track


def measuring_progress(total: int) -> Callable[[Iterator[object]], Iterator[object]]:
    """Return what shows, while it passes results on, how many of ``total`` there are."""
    console = Console(stderr=True)

    def passed_on(results: Iterator[object]) -> Iterator[object]:
        if not console.is_terminal:  # where nobody looks, rich would still start a thread
            yield from results
            return
        yield from track(
            results,
            "measuring",
            total=total,
            console=console,
            transient=True,
        )

    return passed_on


@contextmanager
def comparing_progress() -> Iterator[Callable[[int, int], None]]:
    """Show how many blocks were measured, and how many cells are open."""
    console = Console(stderr=True)
    with console.status("comparing: nothing measured yet") as status:

        def progress(blocks: int, open_cells: int) -> None:
            status.update(f"comparing: {blocks} blocks, {open_cells} cells open")

        yield progress
