"""What ``warpbench gate`` does: compares the code with its baseline, and says what is worse."""

import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from .commands.gate import GateOptions
from .exit_status import BAD_ANSWER, DONE, NOT_DONE
from .options import Messages
from .progress import comparing_progress, measuring_progress

EXIT_STATUS = {
    Verdict.PASSED: DONE,
    Verdict.IMPROVED: DONE,
    Verdict.REGRESSED: BAD_ANSWER,
    Verdict.INCONCLUSIVE: NOT_DONE,
    Verdict.COULD_NOT_JUDGE: NOT_DONE,
}
_TIMED_CELLS = 4
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def gate(options: GateOptions, messages: Messages) -> int:
    """Judge the cells; return the exit status."""
    configuration = read_configuration(Path.cwd())
    tiers = _tiers(options)
    path = options.baseline or configuration.baseline
    baseline = read_baseline(path)
    asked = options.cell
    chosen = _chosen(asked, configuration.cells, baseline, path)
    verdicts: list[CellVerdict] = []
    notes: list[str] = []
    # What would fail the time tier for sure is told before anything is measured.
    checkout = find_checkout(options.against) if options.against and TIER in tiers else None
    if checkout is None or tiers != [TIER]:
        measured = _measured(chosen, baseline, options, messages)
        found, changed = _against_baseline(measured, baseline, configuration, tiers)
        verdicts += found
        notes += _notes(changed)
    if checkout is not None:
        timed = _chosen(asked, configuration.time_cells, baseline, path)
        if not asked and not configuration.time_cells:
            timed = chosen[:_TIMED_CELLS]
        verdicts += _against_commit(
            checkout,
            {name: baseline.cells[name] for name in timed},
            configuration,
            options.budget or configuration.budget_s,
            messages,
        )
    result = GateResult(overall(verdicts), tuple(verdicts), tuple(notes))
    _tell(result, options)
    return EXIT_STATUS[result.verdict]


def _tiers(options: GateOptions) -> list[str]:
    tiers = list(options.tier)
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


def _measured(
    chosen: Sequence[str], baseline: Baseline, options: GateOptions, messages: Messages
) -> dict[str, Measured | NotMeasured]:
    specs = [spec_of(baseline.cells[name]) for name in chosen]
    if options.instructions and all(
        baseline.cells[name].work.instructions is None for name in chosen
    ):
        raise BaselineError(
            "--instructions: the baseline has none; write it with `warpbench baseline "
            "--instructions`"
        )
    progress = measuring_progress(chosen, messages)
    found = measure(specs, progress, with_instructions=options.instructions)
    return dict(zip(chosen, found, strict=True))


def _against_baseline(
    measured: Mapping[str, Measured | NotMeasured],
    baseline: Baseline,
    configuration: Configuration,
    tiers: Collection[str],
) -> tuple[list[CellVerdict], tuple[Difference, ...]]:
    working = [each for each in measured.values() if isinstance(each, Measured)]
    here = packages_of({module for each in working for module in each.modules})
    if len(working) < len(baseline.cells):
        # Packages that only cells use which were not measured now have not gone.
        here = {**baseline.packages, **here}
    changed = differences(baseline.python, baseline.packages, here)
    verdicts = [
        judge(name, baseline.cells[name], each, configuration.tolerances, changed, tiers=tiers)
        for name, each in measured.items()
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
    messages: Messages,
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
        with comparing_progress(messages) as progress:
            return compare(comparison, progress)


def _tell(result: GateResult, options: GateOptions) -> None:
    if options.json:
        print(gate_json(result))  # noqa: T201 - what was asked for
    else:
        print_gate(result, Console())
    summaries = options.summary, os.environ.get(_STEP_SUMMARY)
    for path in summaries:
        if path:
            _append(path, gate_markdown(result))
    if options.junit:
        write_whole(options.junit, gate_junit(result).encode(), UsageError)


def _append(path: Path | str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
