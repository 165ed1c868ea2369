"""What ``warpbench advise`` does: sweeps the load, and works out what limits the best."""

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError, UsageError
from ...mocks.network import Network
from ...mocks.scenario import Scenario
from ...reports.terminal.advice import advice_lines
from ..results.advice import Advice
from ..results.records import Run
from ..results.run_file import RUN_FILE, write_run
from ..results.trial_result import TrialResult
from ..runner.processes import TrialProcesses
from ..runner.runner import run_cells
from ..runner.solo import SoloTrials
from ..runner.solo_folder import SoloFolder
from ..statistics.objectives import Objectives, parse_objectives
from ..statistics.stopping import Sampling
from ..statistics.summary import cell_result
from ..studies.advice import choose, double_load_spec, gains_of, others_of, what_ifs
from ..studies.data_flow import data_flow_of
from ..studies.sweep import Sweep
from .commands.advise import AdviseOptions
from .exit_status import BAD_ANSWER, INTERRUPTED
from .factors import factors_of, folder
from .judging import failure_status, objective_status, ranking_status
from .measuring import header_of
from .options import FactorOptions, Messages
from .progress import detail_for, run_progress
from .showing import show_paths, write_pages

_INDENT = 9


def advise(scenario: str, options: AdviseOptions, messages: Messages) -> int:
    """Advise on a scenario; return the exit status."""
    factors = factors_of((scenario,), _factor_options(options), clock=ClockMode.WARP)
    objectives = None if options.slo is None else parse_objectives(options.slo)
    processes = TrialProcesses(
        options.time_limit,
        network=Network(options.network),
        forks=True,
        tell=detail_for(messages),
    )
    processes.check_target(options.target)
    out = folder(options.out)
    header = header_of(options.slo)
    with run_progress(messages) as progress:
        run, interrupted = run_cells(
            header,
            (),
            sampling=Sampling(trials=options.trials),
            runner=SoloTrials(processes, SoloFolder(out)),
            observer=progress,
            save=lambda run: write_run(run, out / RUN_FILE),
            more=Sweep(factors, objectives, options.trials).next,
        )
    console = Console()
    if interrupted:
        console.print("Interrupted: no advice from half a sweep.", highlight=False)
        return INTERRUPTED
    paths = [out / RUN_FILE, *write_pages(run, out)]
    failed = failure_status(run, factors.scenarios, options.max_failed, is_sweep=True)
    try:
        advice = _advice(run, objectives, processes, factors.scenarios[0])
    except TrialError as error:
        raise UsageError(f"advise: {error}") from error
    if advice is None:
        console.print(f"{_why_nothing(objectives)}: see {paths[0]}.", highlight=False)
        return failed or ranking_status(run) or objective_status(run) or BAD_ANSWER
    console.print(f"{factors.scenarios[0].name} with {factors.targets[0]}", style="bold")
    for heading, line in advice_lines(advice, run):
        text = f"{heading:<{_INDENT}}{line}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    if not messages.quiet:
        console.print()
        show_paths(paths[:2], console, messages)
    return failed or ranking_status(run)


def _factor_options(options: AdviseOptions) -> FactorOptions:
    return FactorOptions(
        target=(options.target,),
        strategy=options.strategy,
        loop=options.loop,
        sessions=options.sessions,
        seed=options.seed,
        tool_workers=options.tool_workers,
    )


def _why_nothing(objectives: Objectives | None) -> str:
    if objectives is None:
        return "Nothing to advise: sessions failed at every load"
    return "Nothing to advise: no load is known to meet the objective"


def _advice(
    run: Run, objectives: Objectives | None, trials: TrialProcesses, scenario: Scenario
) -> Advice | None:
    best = choose(run.cells, objectives)
    if best is None:
        return None
    spec = double_load_spec(best, scenario)
    at_double_load = trials.run(spec)
    if not isinstance(at_double_load, TrialResult):
        raise TrialError(f"{spec.cell.name} no longer applies: {at_double_load.reason}")
    result = cell_result(spec.cell, [at_double_load])
    gains = gains_of(result, what_ifs(spec), trials)
    flow = data_flow_of(best, scenario, trials)
    return Advice(best, others_of(best, run.cells), result, gains, flow)
