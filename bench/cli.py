"""The command line: parses, wires the parts, and turns errors into one line and a status.

This is the composition root. Nobody imports it.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ..mocks.clock import ClockMode
from ..mocks.errors import UsageError
from ..mocks.isolation import secrets_of
from ..mocks.scenario import builtin_scenarios, load_scenario
from ..reports.progress import progress_on
from ..reports.table import render_table
from .commands import baseline, export, gate, history
from .environment import read_environment
from .loops import LOOPS
from .options import (
    DEFAULT_TRIALS,
    add_factors,
    clock_of,
    factors_of,
    folder,
    positive_number,
    trials,
)
from .plan import cells_of
from .processes import TrialProcesses
from .record import Run
from .run_file import RUN_FILE, read_run, write_run
from .runner import RunHeader, run_cells
from .strategies import available_strategies
from .target import BUILT_IN_TARGETS

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

DEFAULT_TIME_LIMIT_S = 600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    Args:
        arguments: What follows the command's name; by default the process's own.
    """
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except UsageError as error:
        print(f"warpbench: {error}", file=sys.stderr)  # noqa: T201 - the one line of an error
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="warpbench", description="A concurrency lab for LLM agents.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="compare strategies: table, charts, page, run.json")
    run.set_defaults(command=_run)
    add_factors(run)
    run.add_argument("--clock", default=ClockMode.WARP, metavar="MODE", help=_modes())
    run.add_argument("--trials", metavar="N", help=f"default: {DEFAULT_TRIALS}, 1 if virtual")
    run.add_argument(
        "--time-limit",
        default=str(DEFAULT_TIME_LIMIT_S),
        metavar="SECONDS",
        help="real time after which a trial is killed (600)",
    )
    run.add_argument("--out", default="results", metavar="DIR", help="folder to write to (results)")
    run.add_argument("--json", action="store_true", help="print the run as JSON, nothing else")

    report = commands.add_parser("report", help="make the page and charts of a run again")
    report.set_defaults(command=_report)
    report.add_argument("run", metavar="RUN", help="a run.json, or the folder that holds it")
    report.add_argument("--out", metavar="DIR", help="folder to write to; default: the run's")

    baseline.add_command(commands)
    gate.add_command(commands)
    export.add_command(commands)
    history.add_command(commands)

    listing = commands.add_parser("list", help="scenarios, strategies, loops and targets")
    listing.set_defaults(command=_list)
    return top


def _run(options: argparse.Namespace) -> int:
    factors = factors_of(options, clock_of(options.clock))
    count = trials(options.trials, factors.clock)
    time_limit_s = positive_number("--time-limit", options.time_limit)
    out = folder(options.out)
    specs = cells_of(factors)
    processes = TrialProcesses(time_limit_s)
    for target in factors.targets:
        processes.check_target(target)
    header = RunHeader(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shlex.join(["warpbench", *sys.argv[1:]]),
        environment=read_environment(),
        secrets=secrets_of(os.environ),
    )
    run_file = out / RUN_FILE
    with progress_on(Console(stderr=True)) as progress:
        run, interrupted = run_cells(
            header,
            specs,
            trials=count,
            runner=processes,
            observer=progress,
            save=lambda run: write_run(run, run_file),
        )
    if options.json:
        print(json.dumps(asdict(run), indent=2))  # noqa: T201 - what was asked for
    else:
        _show(run, run_file, out)
    return EXIT_INTERRUPTED if interrupted else EXIT_OK


def _report(options: argparse.Namespace) -> int:
    path = Path(options.run)
    run_file = path / RUN_FILE if path.is_dir() else path
    run = read_run(run_file)
    _show(run, run_file, folder(options.out) if options.out else run_file.parent)
    return EXIT_OK


def _show(run: Run, run_file: Path, out: Path) -> None:
    # matplotlib takes half a second to import; `warpbench list` shall not pay for it.
    from ..reports.report import write_report  # noqa: PLC0415

    console = Console()
    render_table(run, console)
    if run.cells:
        paths = write_report(run, out)
        console.print()
        for path in (run_file, *paths):
            console.print(str(path), soft_wrap=True, markup=False, highlight=False)


def _list(_options: argparse.Namespace) -> int:
    console = Console()
    sections: dict[str, Iterable[tuple[str, str]]] = {
        "scenarios": ((name, load_scenario(name).description) for name in builtin_scenarios()),
        "strategies": ((each.name, each.summary) for each in available_strategies().values()),
        "loops": ((name, _first_line(factory)) for name, factory in LOOPS.items()),
        "targets": BUILT_IN_TARGETS.items(),
    }
    for title, rows in sections.items():
        console.print(title, style="bold")
        for name, summary in rows:
            console.print(f"  {name:<18}{summary}", soft_wrap=True, markup=False, highlight=False)
    return EXIT_OK


def _modes() -> str:
    return f"{', '.join(ClockMode)} (warp)"


def _first_line(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
