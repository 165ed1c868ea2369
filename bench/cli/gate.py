"""What ``warpbench gate`` does: compares the code with its baseline, and says what is worse."""

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from rich.console import Console

from ...mocks.errors import BaselineError, UsageError
from ...mocks.network import Network
from ...mocks.redaction import redact, redacted
from ...reports.comparison.gate import effort_text, not_recorded_text
from ...reports.comparison.objectives import figure_text, objective_text
from ...reports.exports.gate_json import gate_json
from ...reports.exports.gate_junit import gate_junit
from ...reports.exports.gate_markdown import gate_markdown
from ...reports.terminal.gate import print_gate
from ..gate import isolation
from ..gate.baseline import Baseline, CellBaseline, not_recorded, read_baseline, spec_of
from ..gate.configuration import CONFIGURATION_FILE, Configuration, read_configuration
from ..gate.judging import STRUCTURE, TIERS, hold_to, judge
from ..gate.measuring import Measured, NotMeasured, measure
from ..gate.time.budget import Budget, BudgetSpent
from ..gate.time.compare import TIER, Compared, Comparison, compare, nothing_compared
from ..gate.time.environments import dependencies_differ, environment_for
from ..gate.time.owned_folders import owned_folder
from ..gate.time.side import SideProcesses
from ..gate.time.worktrees import BASE, HEAD, SAME, Checkout, find_checkout, worktrees
from ..results.cell import Cell
from ..results.formatting import counted
from ..results.json_file import write_text
from ..results.records import Finding
from ..results.verdict import CellVerdict, GateResult, Verdict, overall
from ..runner.choices import one_of
from ..runner.environment import Difference, differences, packages_of
from ..runner.processes import TrialProcesses
from ..statistics.objectives import Objectives, parse_objectives
from .clusters import gate_trials, require_measured_there
from .commands.gate import GateOptions
from .exit_status import BAD_ANSWER, DONE, NOT_DONE
from .judging import say_why
from .options import Messages
from .progress import comparing_progress, detail_for, measuring_progress

EXIT_STATUS = {
    Verdict.PASSED: DONE,
    Verdict.IMPROVED: DONE,
    Verdict.REGRESSED: BAD_ANSWER,
    Verdict.MISSED: BAD_ANSWER,
    Verdict.INCONCLUSIVE: NOT_DONE,
    Verdict.COULD_NOT_JUDGE: NOT_DONE,
}
_TIMED_CELLS = 4
_EXPLORED_TIME_LIMIT_S = 60.0
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def gate(options: GateOptions, messages: Messages, began_s: float) -> int:
    """Judge the cells; return the exit status.

    Args:
        options: What to judge.
        messages: How much to say.
        began_s: When the command began, by ``time.monotonic``: the budget counts from there.
    """
    configuration = read_configuration(Path.cwd())
    if options.network is not None:
        configuration = replace(configuration, network=Network(options.network))
    tiers = _tiers(options)
    require_measured_there(
        options.on,
        {
            f"--tier {TIER}": TIER in tiers,
            f"--tier {isolation.TIER}": isolation.TIER in tiers,
            "--instructions": options.instructions,
        },
    )
    path = options.baseline or configuration.baseline
    baseline = read_baseline(path)
    asked = options.cell
    chosen = _chosen(asked, configuration.cells, baseline, path)
    objectives = _objectives(options, configuration, tiers)
    if objectives is not None:
        _require_sessions(objectives, {name: baseline.cells[name] for name in chosen})
    verdicts: list[CellVerdict] = []
    notes: list[str] = []
    # What would fail the time tier for sure is told before anything is measured.
    checkout = find_checkout(options.against) if options.against and TIER in tiers else None
    if not {TIER, isolation.TIER}.issuperset(tiers):
        measured, lost = _measured(chosen, baseline, options, configuration.network, messages)
        notes += [each.message for each in lost]
        found, changed = _against_baseline(measured, baseline, configuration, tiers)
        if objectives is not None:
            found = [hold_to(objectives, each, measured[each.cell]) for each in found]
        verdicts += found
        notes += _notes(changed)
        lacking = not_recorded(baseline.cells[name] for name in chosen)
        notes += [not_recorded_text(lacking)] if lacking else []
    if isolation.TIER in tiers:
        schedules = options.schedules or isolation.USUAL_SCHEDULES
        verdicts += _explored(chosen, baseline, schedules, configuration.network, messages)
    if checkout is not None:
        timed = _chosen(asked, configuration.time_cells, baseline, path)
        if not asked and not configuration.time_cells:
            timed = chosen[:_TIMED_CELLS]
        # The exact tiers come first, and count: who sets a bound means the command.
        budget = Budget(options.budget or configuration.budget_s, began_s=began_s)
        cells = {name: baseline.cells[name].cell for name in timed}
        compared = _against_commit(checkout, cells, configuration, budget, messages)
        verdicts += compared.verdicts
        notes.append(effort_text(compared.effort, len(cells)))
    result = redacted(GateResult(overall(verdicts), tuple(verdicts), tuple(notes)))
    _tell(result, options)
    return EXIT_STATUS[result.verdict]


def _tiers(options: GateOptions) -> list[str]:
    tiers = list(options.tier)
    if not tiers:
        tiers = [*TIERS, *([TIER] if options.against else [])]
        tiers += [isolation.TIER] if options.schedules is not None else []
    if TIER in tiers and not options.against:
        raise UsageError("--tier time: name the commit to compare with: --against REF")
    if options.schedules is not None and isolation.TIER not in tiers:
        raise UsageError(
            f"--schedules {options.schedules}: only tier {isolation.TIER} runs schedules: name it "
            "in --tier, or leave out one of both"
        )
    return tiers


def _objectives(
    options: GateOptions, configuration: Configuration, tiers: Collection[str]
) -> Objectives | None:
    """Return the objectives of the cells, if there are any to judge.

    Raises:
        UsageError: They are asked for, and no time is measured.
    """
    if STRUCTURE in tiers:
        text = options.slo or configuration.slo
        return None if text is None else parse_objectives(text)
    if options.slo is not None:
        raise UsageError(
            f"--slo {options.slo}: only tier {STRUCTURE} measures latency: name it in --tier, or "
            "leave out one of both"
        )
    return None


def _require_sessions(objectives: Objectives, cells: Mapping[str, CellBaseline]) -> None:
    """Refuse an objective about a figure that a cell has too few sessions for."""
    for (name, each), objective in product(cells.items(), objectives.each):
        if each.cell.session_count < objective.sessions:
            raise UsageError(
                f"--slo, or slo in {CONFIGURATION_FILE}: {figure_text(objective)} takes "
                f"{objective.sessions} sessions, and {name} has {each.cell.session_count}: write a "
                "baseline with more (--sessions), or ask for another figure, such as max"
            )


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
    chosen: Sequence[str],
    baseline: Baseline,
    options: GateOptions,
    network: Network,
    messages: Messages,
) -> tuple[dict[str, Measured | NotMeasured], tuple[Finding, ...]]:
    """Return what cells look like, by name, and a warning if workers of a cluster were lost."""
    specs = [spec_of(baseline.cells[name]) for name in chosen]
    if options.instructions and all(
        baseline.cells[name].work.instructions is None for name in chosen
    ):
        raise BaselineError(
            "--instructions: the baseline has none; write it with `warpbench baseline "
            "--instructions`"
        )
    progress = measuring_progress(chosen, messages)
    with gate_trials(options.on, network, messages) as trials:
        found = measure(
            specs,
            progress,
            with_instructions=options.instructions,
            network=network,
            trials=trials,
        )
    lost = () if trials is None else trials.findings()
    return dict(zip(chosen, found, strict=True)), lost


def _explored(
    chosen: Sequence[str],
    baseline: Baseline,
    schedules: int,
    network: Network,
    messages: Messages,
) -> list[CellVerdict]:
    processes = TrialProcesses(
        _EXPLORED_TIME_LIMIT_S, network=network, forks=True, tell=detail_for(messages)
    )
    specs = {name: spec_of(baseline.cells[name]) for name in chosen}
    for target, spec in {spec.cell.target: spec for spec in specs.values()}.items():
        processes.check_target(target, spec)
    progress = measuring_progress(chosen, messages)
    judged = (
        isolation.explored(
            name, spec, schedules, processes, scenario=baseline.cells[name].cell.scenario
        )
        for name, spec in specs.items()
    )
    try:
        return [each for each in progress(judged) if isinstance(each, CellVerdict)]
    except BaseException:
        processes.kill()
        raise


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
    cells: Mapping[str, Cell],
    configuration: Configuration,
    budget: Budget,
    messages: Messages,
) -> Compared:
    here = Path(sys.executable)
    targets = tuple(dict.fromkeys(cell.target for cell in cells.values()))
    try:
        with worktrees(checkout, budget) as trees, owned_folder() as folder:
            there = here
            if dependencies_differ(checkout, budget):
                recipe = configuration.environment
                there = environment_for(trees[BASE], recipe, folder / "venv", budget)
            pythons = {BASE: there, HEAD: here, SAME: there}
            comparison = Comparison(
                sides=SideProcesses(
                    trees, checkout, pythons, targets, budget, configuration.network
                ),
                cells=cells,
                margin=configuration.tolerances.cpu,
                budget=budget,
                lot=checkout.head,
            )
            with comparing_progress(messages) as progress:
                return compare(comparison, progress)
    except BudgetSpent:
        return nothing_compared(cells, budget)


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
        write_text(options.junit, gate_junit(result), UsageError)
    _tell_missed(result.cells)


def _tell_missed(cells: Sequence[CellVerdict]) -> None:
    missed = [each for each in cells if each.missed]
    if missed:
        first, *others = missed
        more = f", and {counted(len(others), 'other cell')} missed it" if others else ""
        say_why(f"{first.cell}: {objective_text(first.missed[0])}{more}")


def _append(path: Path | str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(redact(text))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
