"""What ``warpbench history`` does: keeps runs, and shows the trend of a metric over them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.terminal.history import print_trends
from ..results.history import open_store
from ..results.run_file import RUN_FILE, read_run
from ..runner.choices import one_of
from ..statistics.change_points import trends
from .exit_status import DONE


def history(
    store_path: Path, added: Sequence[str], cells: Sequence[str], metric: str, *, as_json: bool
) -> int:
    """Keep runs and show a trend; return the exit status.

    Raises:
        UsageError: No run has the metric, or a cell is not among them.
    """
    store = open_store(store_path)
    for name in added:
        path = Path(name)
        store.add(read_run(path / RUN_FILE if path.is_dir() else path))
    found = {trend.cell: trend for trend in trends(store.runs(), metric)}
    if not found:
        raise UsageError(f"{store_path}: no run in it has {metric}")
    names = [one_of("--cell", name, found) for name in cells] or list(found)
    chosen = [found[name] for name in names]
    if as_json:
        print(json.dumps([asdict(trend) for trend in chosen], indent=2))  # noqa: T201
    else:
        print_trends(chosen, Console())
    return DONE
