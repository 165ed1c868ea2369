"""How a run gets on: on a terminal and in a log."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from warpbench.bench.results.records import CellResult, Status
from warpbench.reports.terminal.progress import LiveView, progress_on

from ...golden import assert_golden

pytestmark = pytest.mark.once

Cell = Callable[..., CellResult]


def console(terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=100, legacy_windows=False, no_color=True
    )


def shown(view: LiveView) -> str:
    plain = Console(file=io.StringIO(), width=100)
    plain.print(view.render())
    return plain.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_cells_so_far_are_ranked_at_the_load_under_way(cell: Cell) -> None:
    view = LiveView(console(terminal=True))
    cells = [
        cell("threads", "none", 10, 0.5),
        cell("gather", "asyncio", 10, 0.9),
        cell("gather", "asyncio", 100, 0.9),
    ]
    assert "starting" in shown(view)
    for done, each in enumerate(cells[:2]):
        view.trial_begins(each.cell, done, 9)
        view.trial_ends(lambda result=each: result)  # type: ignore[misc]

    lines = shown(view).splitlines()
    assert lines[0].strip() == "tools, concurrency 10, so far"
    assert [line.split()[0] for line in lines[2:4]] == ["gather", "threads"]
    assert "90 %" in lines[2]

    # At another load the table begins anew.
    view.trial_begins(cells[2].cell, 2, 9)
    assert "so far" not in shown(view)
    assert "2/9" in shown(view)


def test_names_that_come_from_outside_steer_no_terminal(hostile: object) -> None:
    view = LiveView(console(terminal=True))
    for each in hostile.cells:  # type: ignore[attr-defined]
        view.trial_begins(each.cell, 0, 1)
        view.trial_ends(lambda result=each: result)  # type: ignore[misc]
        assert "\x1b" not in shown(view)


def test_a_failed_cell_stays_on_the_screen_and_the_view_goes(cell: Cell, without: Cell) -> None:
    screen = console(terminal=True)
    with progress_on(screen) as view:
        failed = without(cell("gather", "asyncio", 10), Status.FAILED, "killed by SIGKILL")
        view.trial_begins(failed.cell, 0, 1)
        view.cell_ends(failed)
    assert "tools: gather on asyncio, concurrency 10: killed by SIGKILL" in screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_log_gets_a_line_a_cell(cell: Cell) -> None:
    log = console(terminal=False)
    with progress_on(log) as lines:
        lines.trial_begins(cell("gather", "asyncio", 10).cell, 4, 9)
        lines.trial_ends(lambda: cell("gather", "asyncio", 10))
        lines.cell_ends(cell("gather", "asyncio", 10))
    logged = log.file.getvalue()  # type: ignore[attr-defined]
    assert logged.startswith("[5/9] tools: gather on asyncio, concurrency 10: makespan ")


@pytest.mark.once
def test_the_wording_of_progress(cell: Cell, without: Cell) -> None:
    view, log = LiveView(console(terminal=True)), console(terminal=False)
    cells = [cell("threads", "none", 10, 0.5), cell("gather", "asyncio", 10, 0.9)]
    with progress_on(log) as lines:
        for done, each in enumerate(cells):
            view.trial_begins(each.cell, done, 9)
            view.trial_ends(lambda result=each: result)  # type: ignore[misc]
            lines.trial_begins(each.cell, done, 9)
            lines.cell_ends(each)
        lines.cell_ends(without(cells[0], Status.FAILED, "killed by SIGKILL"))
    table, _, _ = shown(view).rpartition("tools: gather")  # the bar shows real time
    assert_golden("progress", f"{table}\n{log.file.getvalue()}")  # type: ignore[attr-defined]
