"""What the tests of seams share: a cell is run with what a test added, and shown."""

import io
from collections.abc import Sequence

from rich.console import Console
from warpbench.bench.results.records import CellResult, Run, Status
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.statistics.summary import cell_result, without_result
from warpbench.bench.strategies import Strategy
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario import load_scenario
from warpbench.reports.terminal.table import render_table

from ..built import HEADER

SESSIONS = 4


def specs_with(strategy: Strategy, **factors: object) -> tuple[TrialSpec, ...]:
    """Return cells of one strategy whose sessions call the model twice, a second in all."""
    return cells_of(
        Factors(
            scenarios=(load_scenario("two-sleeps"),),
            strategies=(strategy,),
            concurrency=(SESSIONS,),
            session_count=SESSIONS,
            **factors,  # type: ignore[arg-type]
        )
    )


def run_of(specs: Sequence[TrialSpec]) -> Run:
    """Run cells in this process, and return them as a run."""
    return Run(
        created_at=HEADER.created_at,
        command=HEADER.command,
        environment=HEADER.environment,
        cells=tuple(map(_result, specs)),
    )


def _result(spec: TrialSpec) -> CellResult:
    with prepared_here(spec, spec.cell.target) as measure:
        if isinstance(measure, NotApplicable):
            return without_result(spec.cell, Status.NOT_APPLICABLE, measure.reason)
        return cell_result(spec.cell, [measure()])


def table_of(run: Run) -> str:
    """Return the terminal's table of a run, as wide as it likes to be."""
    console = Console(file=io.StringIO(), width=220)
    render_table(run, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
