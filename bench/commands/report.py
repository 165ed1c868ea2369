"""``warpbench report``: the page and the charts of a run, made again from its file."""

import argparse
from pathlib import Path

from ..options import folder
from ..run_file import RUN_FILE, read_run
from .showing import show_run


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("report", help="make the page and charts of a run again")
    parser.set_defaults(command=_report)
    parser.add_argument("run", metavar="RUN", help="a run.json, or the folder that holds it")
    parser.add_argument("--out", metavar="DIR", help="folder to write to; default: the run's")


def _report(options: argparse.Namespace) -> int:
    path = Path(options.run)
    run_file = path / RUN_FILE if path.is_dir() else path
    run = read_run(run_file)
    show_run(run, run_file, folder(options.out) if options.out else run_file.parent)
    return 0
