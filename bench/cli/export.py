"""``warpbench export``: a run in the format of another tool."""

import argparse
from pathlib import Path

from ...mocks.errors import UsageError
from ...reports.exports import EXPORTS
from ..results.json_file import write_whole
from ..results.run_file import read_run, run_file_of
from ..runner.choices import one_of


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    formats = "\n".join(f"  {name:<18}{export.summary}" for name, export in EXPORTS.items())
    parser = commands.add_parser(
        "export",
        help="a run in the format of another tool",
        description=f"formats:\n{formats}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=_export)
    parser.add_argument("format", metavar="FORMAT", help="one of those above")
    parser.add_argument("run", metavar="RUN", help="a run.json, or the folder that holds it")
    parser.add_argument("--out", metavar="FILE", help="file to write; default: standard output")


def _export(options: argparse.Namespace) -> int:
    export = EXPORTS[one_of("FORMAT", options.format, EXPORTS)]
    text = export.render(read_run(run_file_of(options.run)))
    if options.out is None:
        print(text, end="" if text.endswith("\n") else "\n")  # noqa: T201 - what was asked for
    else:
        write_whole(Path(options.out), text.encode(), UsageError)
    return 0
