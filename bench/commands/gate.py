"""``warpbench gate``: hold the code against its baseline, and say what became worse."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...mocks.errors import BaselineError, UsageError
from ...reports.gate_json import gate_json
from ...reports.gate_junit import gate_junit
from ...reports.gate_markdown import gate_markdown
from ...reports.gate_text import print_gate
from ..environment import differences, packages_of
from ..gate.baseline import Baseline, read_baseline, spec_of
from ..gate.configuration import Configuration, read_configuration
from ..gate.judging import judge
from ..gate.measuring import Measured, measure
from ..gate.verdict import GateResult, Verdict, overall
from ..json_file import write_whole
from ..options import one_of, several
from .progress import measuring_progress

EXIT_STATUS = {
    Verdict.HELD: 0,
    Verdict.IMPROVED: 0,
    Verdict.REGRESSED: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.NOT_JUDGED: 2,
}
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "gate", help="hold the code against the baseline: 0 held, 1 regressed, 2 not judged"
    )
    parser.set_defaults(command=_gate)
    parser.add_argument("--baseline", metavar="FILE", help="default: warpbench-baseline.json")
    parser.add_argument(
        "--cell", action="append", metavar="NAME[,NAME…]", help="judge these cells only"
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument("--summary", metavar="FILE", help="append the verdicts as Markdown")
    parser.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")


def _gate(options: argparse.Namespace) -> int:
    configuration = read_configuration(Path.cwd())
    path = options.baseline or configuration.baseline
    baseline = read_baseline(path)
    chosen = _chosen(several(options.cell), configuration, baseline, path)
    result = _against_baseline(chosen, baseline, configuration)
    _tell(result, options)
    return EXIT_STATUS[result.verdict]


def _chosen(
    asked: Sequence[str], configuration: Configuration, baseline: Baseline, path: str
) -> list[str]:
    if not baseline.cells:
        raise BaselineError(f"{path}: it has no cells; write it again with some")
    for option, names in (("--cell", asked), (f"a cell that {path} lacks:", configuration.cells)):
        if names:
            return [one_of(option, name, baseline.cells) for name in dict.fromkeys(names)]
    return list(baseline.cells)


def _against_baseline(
    chosen: Sequence[str], baseline: Baseline, configuration: Configuration
) -> GateResult:
    specs = [spec_of(baseline.cells[name]) for name in chosen]
    found = measure(specs, measuring_progress(len(specs)))
    modules = {module for each in found if isinstance(each, Measured) for module in each.modules}
    here = packages_of(modules)
    if len(chosen) < len(baseline.cells) or not modules:
        # Packages that only cells use which were not measured now have not gone.
        unused = set(baseline.packages) - set(here)
        here |= {package: baseline.packages[package] for package in unused}
    changed = differences(baseline.python, baseline.packages, here)
    verdicts = tuple(
        judge(name, baseline.cells[name], each, configuration.tolerances, changed)
        for name, each in zip(chosen, found, strict=True)
    )
    return GateResult(overall(verdicts), verdicts, tuple(map(str, changed)))


def _tell(result: GateResult, options: argparse.Namespace) -> None:
    if options.json:
        print(gate_json(result))  # noqa: T201 - what was asked for
    else:
        print_gate(result, Console())
    for path in filter(None, (options.summary, os.environ.get(_STEP_SUMMARY))):
        _append(path, gate_markdown(result))
    if options.junit:
        write_whole(Path(options.junit), gate_junit(result).encode(), UsageError)


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
