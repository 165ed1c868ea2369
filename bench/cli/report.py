"""``warpbench report``: the page and the charts of a run, made again from its file."""

import argparse

from ..results.run_file import read_run, run_file_of
from .options import folder
from .showing import show_run


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("report", help="make the page and charts of a run again")
    parser.set_defaults(command=_report)
    parser.add_argument("run", metavar="RUN", help="a run.json, or the folder that holds it")
    parser.add_argument("--out", metavar="DIR", help="folder to write to; default: the run's")


def _report(options: argparse.Namespace) -> int:
    run_file = run_file_of(options.run)
    run = read_run(run_file)
    show_run(run, run_file, folder(options.out) if options.out else run_file.parent)
    return 0
