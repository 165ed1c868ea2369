"""``warpbench compare``: what changed between runs."""

import argparse
from pathlib import Path

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.comparison.runs_compared import compare_runs
from ...reports.exports.runs_compared import compared_markdown
from ...reports.terminal.runs_compared import print_compared
from ..results.json_file import write_whole
from ..results.run_file import read_run, run_file_of

_FEWEST = 2


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "compare",
        help="what changed between runs: ratios with intervals",
        description="Each further run is held against the first.",
    )
    parser.set_defaults(command=_compare)
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run.json, or the folder that holds it"
    )
    parser.add_argument("--out", metavar="DIR", help="folder for a chart of the ratios")
    parser.add_argument("--markdown", metavar="FILE", help="write the same as Markdown")


def _compare(options: argparse.Namespace) -> int:
    if len(options.runs) < _FEWEST:
        raise UsageError(f"compare {options.runs[0]}: expected two runs or more")
    first, *others = ((name, read_run(run_file_of(name))) for name in options.runs)
    console, texts, charts = Console(), [], []
    for name, run in others:
        compared = compare_runs(first[1], run)
        if len(others) > 1:
            console.print(f"{first[0]} → {name}", style="bold", markup=False, highlight=False)
        print_compared(compared, console)
        texts.append(compared_markdown(compared, first[0], name))
        charts.append((name, compared))
    if options.markdown is not None:
        write_whole(Path(options.markdown), "\n".join(texts).encode(), UsageError)
    if options.out is not None:
        # matplotlib takes half a second to import.
        from ...reports.charts.ratio import write_ratio_charts  # noqa: PLC0415

        for path in write_ratio_charts(first[0], charts, options.out):
            console.print(str(path), soft_wrap=True, markup=False, highlight=False)
    return 0
