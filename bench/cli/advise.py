"""``warpbench advise``: what to run, what limits it, and what a fix would be worth."""

import argparse

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError, UsageError
from ...mocks.scenario import Scenario
from ...reports.terminal.advice import advice_lines
from ...reports.terminal.progress import progress_on
from ..results.advice import Advice
from ..results.records import Run, Status
from ..results.run_file import RUN_FILE, write_run
from ..results.trial_result import TrialResult
from ..runner.processes import TrialProcesses
from ..statistics.scaling import Objective, parse_objective
from ..statistics.stopping import Sampling
from ..statistics.summary import cell_result
from ..studies.advice import choose, double_load_spec, gains_of, others_of, what_ifs
from ..studies.sweep import sweep
from .measuring import EXIT_INTERRUPTED, add_time_limit, header_of, time_limit_s
from .options import add_factors, factors_of, folder, several, whole
from .showing import write_pages

NOTHING_TO_ADVISE = 1
_INDENT = 9


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "advise",
        help="what to run, what limits it, and what a fix would be worth",
        description="Sweeps the load in warp, then runs the best at twice its load with one cost "
        "after the other taken away. Exit status 1 if no load keeps the objective.",
    )
    parser.set_defaults(command=_advise)
    add_factors(parser, strategies="threads,executor,gather,taskgroup")
    parser.add_argument("--slo", metavar="FIGURE=TIME", help="to be kept, such as p99=2s")
    parser.add_argument("--trials", default="1", metavar="N", help="trials of each cell (1)")
    add_time_limit(parser)
    parser.add_argument(
        "--out", default="results", metavar="DIR", help="folder for the sweep's report (results)"
    )


def _advise(options: argparse.Namespace) -> int:
    if several(options.concurrency):
        raise UsageError("advise finds the load itself: leave --concurrency out")
    factors = factors_of(options, ClockMode.WARP)
    if len(factors.scenarios) > 1 or len(factors.targets) > 1:
        raise UsageError("advise is about one scenario and one target: name one of each")
    objective = None if options.slo is None else parse_objective(options.slo)
    sampling = Sampling(trials=whole("--trials", options.trials))
    processes = TrialProcesses(time_limit_s(options))
    processes.check_target(factors.targets[0])
    out = folder(options.out)
    header = header_of(options.slo)
    with progress_on(Console(stderr=True)) as progress:
        run, interrupted = sweep(
            header,
            factors,
            sampling=sampling,
            runner=processes,
            observer=progress,
            save=lambda run: write_run(run, out / RUN_FILE),
        )
    console = Console()
    if interrupted:
        console.print("Interrupted: no advice from half a sweep.", highlight=False)
        return EXIT_INTERRUPTED
    paths = [out / RUN_FILE, *write_pages(run, out)]
    try:
        advice = _advice(run, objective, processes, factors.scenarios[0])
    except TrialError as error:
        raise UsageError(f"advise: {error}") from error
    if advice is None:
        console.print(f"{_why_nothing(run, objective)}: see {paths[0]}.", highlight=False)
        return NOTHING_TO_ADVISE
    console.print(f"{factors.scenarios[0].name} with {factors.targets[0]}", style="bold")
    for heading, line in advice_lines(advice, run):
        text = f"{heading:<{_INDENT}}{line}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    console.print()
    for path in paths[:2]:
        console.print(str(path), soft_wrap=True, markup=False, highlight=False)
    return 0


def _why_nothing(run: Run, objective: Objective | None) -> str:
    if objective is None:
        return "No load carries anything without losing sessions"
    if all(map(objective.is_reported_by, (c for c in run.cells if c.status is Status.MEASURED))):
        return f"No load keeps {run.objective} without losing sessions"
    return f"Whether a load keeps {run.objective} takes {objective.sessions} sessions to tell"


def _advice(
    run: Run, objective: Objective | None, trials: TrialProcesses, scenario: Scenario
) -> Advice | None:
    best = choose(run.cells, objective)
    if best is None:
        return None
    spec = double_load_spec(best, scenario)
    at_double_load = trials.run(spec)
    if not isinstance(at_double_load, TrialResult):
        raise TrialError(f"{spec.cell.name} no longer applies: {at_double_load.reason}")
    result = cell_result(spec.cell, [at_double_load])
    gains = gains_of(result, what_ifs(spec), trials)
    return Advice(best, others_of(best, run.cells), result, gains)
