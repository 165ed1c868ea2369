"""``warpbench history``: keep runs, and show how a figure of a cell moved over them."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.terminal.history import print_trends
from ..results.history import open_store
from ..results.run_file import RUN_FILE, read_run
from ..runner.choices import one_of
from ..statistics.change_points import trends
from ..statistics.figures import FIGURES
from .options import several

_DEFAULT_METRIC = "makespan_s"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "history", help="keep runs, and show how a figure of a cell moved over them"
    )
    parser.set_defaults(command=_history)
    parser.add_argument(
        "store", metavar="STORE", help="a folder of run files, or a file that ends in .sqlite"
    )
    parser.add_argument(
        "--add",
        action="append",
        metavar="RUN[,RUN…]",
        help="keep these first: a run.json, or the folder that holds it",
    )
    parser.add_argument("--cell", action="append", metavar="NAME[,NAME…]", help="these cells only")
    parser.add_argument(
        "--metric", default=_DEFAULT_METRIC, metavar="NAME", help=f"one of {', '.join(FIGURES)}"
    )
    parser.add_argument("--json", action="store_true", help="print the trends as JSON")


def _history(options: argparse.Namespace) -> int:
    metric = one_of("--metric", options.metric, FIGURES)
    store = open_store(Path(options.store))
    for name in several(options.add):
        path = Path(name)
        store.add(read_run(path / RUN_FILE if path.is_dir() else path))
    found = {trend.cell: trend for trend in trends(store.runs(), metric)}
    if not found:
        raise UsageError(f"{options.store}: no run in it has {metric}")
    names = [one_of("--cell", name, found) for name in several(options.cell)] or list(found)
    chosen = [found[name] for name in names]
    if options.json:
        print(json.dumps([asdict(trend) for trend in chosen], indent=2))  # noqa: T201
    else:
        print_trends(chosen, Console())
    return 0
