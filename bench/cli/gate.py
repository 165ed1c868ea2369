"""``warpbench gate``: hold the code against its baseline, and say what became worse."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from ...mocks.errors import BaselineError, UsageError
from ...reports.exports.gate_json import gate_json
from ...reports.exports.gate_junit import gate_junit
from ...reports.exports.gate_markdown import gate_markdown
from ...reports.terminal.gate import print_gate
from ..gate.baseline import Baseline, CellBaseline, read_baseline, spec_of
from ..gate.configuration import Configuration, read_configuration
from ..gate.judging import TIERS, judge
from ..gate.measuring import Measured, NotMeasured, measure
from ..gate.time.compare import TIER, Comparison, compare
from ..gate.time.environments import dependencies_differ, environment_for
from ..gate.time.worktrees import BASE, HEAD, SAME, Checkout, find_checkout, worktrees
from ..results.json_file import write_whole
from ..results.verdict import CellVerdict, GateResult, Verdict, overall
from ..runner.choices import one_of
from ..runner.environment import Difference, differences, packages_of
from .options import positive_number, several
from .progress import comparing_progress, measuring_progress

EXIT_STATUS = {
    Verdict.PASSED: 0,
    Verdict.IMPROVED: 0,
    Verdict.REGRESSED: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.COULD_NOT_JUDGE: 2,
}
_TIMED_CELLS = 4
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
    parser.add_argument(
        "--against",
        metavar="REF",
        help="compare CPU time with a commit, too: measured in turn, in worktrees of both",
    )
    parser.add_argument(
        "--tier",
        action="append",
        metavar="NAME[,NAME…]",
        help=f"default: {','.join(TIERS)}, and time with --against",
    )
    parser.add_argument(
        "--budget", metavar="SECONDS", help="time that the time tier may take (120)"
    )
    parser.add_argument(
        "--instructions", action="store_true", help="compare instructions, too (needs valgrind)"
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument("--summary", metavar="FILE", help="append the verdicts as Markdown")
    parser.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")


def _gate(options: argparse.Namespace) -> int:
    configuration = read_configuration(Path.cwd())
    tiers = _tiers(options)
    path = options.baseline or configuration.baseline
    baseline = read_baseline(path)
    asked = several(options.cell)
    chosen = _chosen(asked, configuration.cells, baseline, path)
    verdicts: list[CellVerdict] = []
    notes: list[str] = []
    # What would fail the time tier for sure is told before anything is measured.
    checkout = find_checkout(options.against) if TIER in tiers else None
    if checkout is None or tiers != [TIER]:
        found, changed = _against_baseline(chosen, baseline, configuration, options)
        verdicts += found
        notes += _notes(changed)
    if checkout is not None:
        timed = _chosen(asked, configuration.time_cells, baseline, path)
        if not asked and not configuration.time_cells:
            timed = chosen[:_TIMED_CELLS]
        budget_s = configuration.budget_s
        if options.budget is not None:
            budget_s = positive_number("--budget", options.budget)
        verdicts += _against_commit(
            checkout, {name: baseline.cells[name] for name in timed}, configuration, budget_s
        )
    result = GateResult(overall(verdicts), tuple(verdicts), tuple(notes))
    _tell(result, options)
    return EXIT_STATUS[result.verdict]


def _tiers(options: argparse.Namespace) -> list[str]:
    known = (*TIERS, TIER)
    tiers = [one_of("--tier", name, known) for name in several(options.tier)]
    if not tiers:
        tiers = [*TIERS, *([TIER] if options.against else [])]
    if TIER in tiers and not options.against:
        raise UsageError("--tier time: name the commit to compare with: --against REF")
    return tiers


def _chosen(
    asked: Sequence[str], configured: Sequence[str], baseline: Baseline, path: str
) -> list[str]:
    if not baseline.cells:
        raise BaselineError(f"{path}: it has no cells; write it again with some")
    for source, names in (("--cell", asked), (f"{path} lacks a cell of the project:", configured)):
        if names:
            return [one_of(source, name, baseline.cells) for name in dict.fromkeys(names)]
    return list(baseline.cells)


def _against_baseline(
    chosen: Sequence[str],
    baseline: Baseline,
    configuration: Configuration,
    options: argparse.Namespace,
) -> tuple[list[CellVerdict], tuple[Difference, ...]]:
    tiers = _tiers(options)
    specs = [spec_of(baseline.cells[name]) for name in chosen]
    if options.instructions and all(
        baseline.cells[name].work.instructions is None for name in chosen
    ):
        raise BaselineError(
            "--instructions: the baseline has none; write it with `warpbench baseline "
            "--instructions`"
        )
    progress = measuring_progress(len(specs))
    found = measure(specs, progress, with_instructions=options.instructions)
    modules = {module for each in found if isinstance(each, Measured) for module in each.modules}
    here = packages_of(modules)
    if len(chosen) < len(baseline.cells) or any(isinstance(each, NotMeasured) for each in found):
        # Packages that only cells use which were not measured now have not gone.
        here = {**baseline.packages, **here}
    changed = differences(baseline.python, baseline.packages, here)
    verdicts = [
        judge(name, baseline.cells[name], each, configuration.tolerances, changed, tiers=tiers)
        for name, each in zip(chosen, found, strict=True)
    ]
    return verdicts, changed


def _notes(changed: Sequence[Difference]) -> Iterator[str]:
    if changed:
        yield f"not as in the baseline: {', '.join(map(str, changed))}"
    if any(each.changes_calls for each in changed):
        yield (
            "so calls, tasks and loop iterations were not compared; a baseline written under these "
            "versions compares them again"
        )


def _against_commit(
    checkout: Checkout,
    cells: Mapping[str, CellBaseline],
    configuration: Configuration,
    budget_s: float,
) -> list[CellVerdict]:
    here = Path(sys.executable)
    with worktrees(checkout) as sides, tempfile.TemporaryDirectory(prefix="warpbench-") as folder:
        there = here
        if dependencies_differ(checkout):
            there = environment_for(sides[BASE], configuration.environment, Path(folder) / "venv")
        comparison = Comparison(
            checkout=checkout,
            worktrees=sides,
            pythons={BASE: there, HEAD: here, SAME: there},
            cells=cells,
            margin=configuration.tolerances.cpu,
            budget_s=budget_s,
        )
        with comparing_progress() as progress:
            return compare(comparison, progress)


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
