"""``warpbench baseline`` and ``warpbench gate``: measure in virtual time, and judge."""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ..mocks.clock import ClockMode
from ..mocks.errors import BaselineError, TrialError, UsageError
from ..mocks.scenario import load_scenario
from ..reports.gate_json import gate_json
from ..reports.gate_junit import gate_junit
from ..reports.gate_markdown import gate_markdown
from ..reports.gate_text import print_gate
from .baseline import BASELINE_FILE, Baseline, CellBaseline, name_of, read_baseline, write_baseline
from .environment import read_environment
from .gate import CellVerdict, GateResult, Verdict, judge, overall
from .json_file import write_whole
from .options import add_factors, factors_of, one_of, several
from .plan import RESPX, cells_of
from .processes import TrialProcesses
from .record import Cell
from .structure import Structure, structure_of
from .trial import NotApplicable, TrialSpec

EXIT_STATUS = {
    Verdict.HELD: 0,
    Verdict.IMPROVED: 0,
    Verdict.REGRESSED: 1,
    Verdict.NOT_JUDGED: 2,
}
_TIME_LIMIT_S = 600.0
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both to the command line."""
    baseline = commands.add_parser("baseline", help="write the gate's baseline file")
    baseline.set_defaults(command=_baseline)
    add_factors(baseline, strategies="gather", loops="asyncio")
    baseline.add_argument(
        "--out", default=BASELINE_FILE, metavar="FILE", help=f"file to write ({BASELINE_FILE})"
    )

    gate = commands.add_parser(
        "gate", help="hold the code against the baseline: 0 held, 1 regressed, 2 not judged"
    )
    gate.set_defaults(command=_gate)
    gate.add_argument(
        "--baseline", default=BASELINE_FILE, metavar="FILE", help=f"default: {BASELINE_FILE}"
    )
    gate.add_argument(
        "--cell", action="append", metavar="NAME[,NAME…]", help="judge these cells only"
    )
    gate.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    gate.add_argument("--summary", metavar="FILE", help="append the verdicts as Markdown")
    gate.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")


def _baseline(options: argparse.Namespace) -> int:
    factors = factors_of(options, ClockMode.VIRTUAL)
    # A baseline names scenarios as they were given, so that files are found again.
    given = {load_scenario(name).name: name for name in options.scenarios}
    specs = cells_of(factors)
    environment = read_environment()
    cells = {}
    for spec, structure in _measure(specs):
        cell = spec.cell
        if not isinstance(structure, Structure):
            raise BaselineError(
                f"{name_of(cell)}: {structure}; a baseline is made of cells that work, so "
                "none was written"
            )
        made = CellBaseline(
            scenario=given.get(cell.scenario, cell.scenario),
            target=cell.target,
            strategy=cell.strategy,
            loop=cell.loop,
            concurrency=cell.concurrency,
            sessions=cell.session_count,
            seed=cell.seed,
            tool_workers=cell.tool_workers,
            structure=structure,
        )
        cells[name_of(made)] = made
    write_baseline(
        Baseline(python=environment.python, packages=environment.packages, cells=cells),
        options.out,
    )
    count = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
    Console().print(
        f"{options.out}: {count}; commit it, and let CI run `warpbench gate`",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    return 0


def _gate(options: argparse.Namespace) -> int:
    baseline = read_baseline(options.baseline)
    chosen = [one_of("--cell", name, baseline.cells) for name in several(options.cell)] or list(
        baseline.cells
    )
    if not chosen:
        raise BaselineError(f"{options.baseline}: it has no cells; write it again with some")
    specs = [_spec(baseline.cells[name]) for name in chosen]
    verdicts = tuple(
        judge(name, baseline.cells[name].structure, found)
        if isinstance(found, Structure)
        else CellVerdict(name, Verdict.NOT_JUDGED, reason=found)
        for name, (_, found) in zip(chosen, _measure(specs), strict=True)
    )
    result = GateResult(overall(verdicts), verdicts, _differences(baseline))
    if options.json:
        print(gate_json(result))  # noqa: T201 - what was asked for
    else:
        print_gate(result, Console())
    for path in filter(None, (options.summary, os.environ.get(_STEP_SUMMARY))):
        _append(path, gate_markdown(result))
    if options.junit:
        write_whole(Path(options.junit), gate_junit(result).encode(), UsageError)
    return EXIT_STATUS[result.verdict]


def _measure(specs: Sequence[TrialSpec]) -> Iterator[tuple[TrialSpec, Structure | str]]:
    """Run each cell once; yield what it looks like, or why it came to nothing."""
    processes = TrialProcesses(_TIME_LIMIT_S)
    for target in dict.fromkeys(spec.cell.target for spec in specs):
        processes.check_target(target)
    console = Console(stderr=True)
    for spec in track(
        specs, "measuring", console=console, transient=True, disable=not console.is_terminal
    ):
        noting = TrialSpec(spec.scenario, spec.cell, notes_waits=True)
        try:
            found = processes.run(noting)
        except TrialError as error:
            yield spec, str(error)
            continue
        yield spec, found.reason if isinstance(found, NotApplicable) else structure_of(found)


def _spec(cell: CellBaseline) -> TrialSpec:
    scenario = load_scenario(cell.scenario)
    return TrialSpec(
        scenario,
        Cell(
            scenario=scenario.name,
            target=cell.target,
            strategy=cell.strategy,
            loop=cell.loop,
            transport=RESPX,
            clock=ClockMode.VIRTUAL,
            concurrency=cell.concurrency,
            session_count=cell.sessions,
            seed=cell.seed,
            tool_workers=cell.tool_workers,
        ),
    )


def _differences(baseline: Baseline) -> tuple[str, ...]:
    """Say which versions are not those of the baseline; never a regression by itself."""
    here = read_environment()
    notes = []
    if here.python != baseline.python:
        notes.append(f"Python {baseline.python} → {here.python}")
    for package in sorted({*baseline.packages, *here.packages}):
        before, now = baseline.packages.get(package), here.packages.get(package)
        if before != now:
            notes.append(f"{package} {before or 'absent'} → {now or 'absent'}")
    return tuple(notes)


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
