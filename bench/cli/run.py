"""What ``warpbench run`` does: measures the cells, saves and shows them, and judges them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.network import Network
from ...mocks.redaction import redacted
from ...mocks.workload.arrivals import CLOSED, intended_ns, parse_arrivals
from ..cluster.measurement import run_cells_on
from ..results.records import Run
from ..results.run_file import RUN_FILE, write_run
from ..runner.plan import Factors, cells_of, usual_sampling
from ..runner.processes import TrialProcesses, import_ahead
from ..runner.resuming import begin_run, resume_run
from ..runner.runner import run_cells
from ..runner.shards import ShardedTrials
from ..runner.solo import SoloSessions, SoloTrials
from ..runner.solo_folder import SoloFolder
from ..statistics.objectives import parse_objectives
from ..statistics.stopping import Sampling
from ..studies.data_flow import with_data_flows
from ..studies.sweep import Sweep
from .clusters import cluster_for, require_fitting
from .commands.run import RunOptions
from .deploying import deployed_service
from .exit_status import INTERRUPTED
from .factors import budget_of, clock_for, factors_of, folder, processes_of, shards_of, trials_of
from .judging import failure_status, objective_status, ranking_status
from .measuring import header_of
from .options import Messages
from .progress import detail_for, run_progress
from .showing import show_run
from .validating import specs_to_validate, validate
from .values import AUTO

_AT_THE_END = ("warpbench.reports.charts.render", "warpbench.reports.html.page")


def run(scenarios: Sequence[str], options: RunOptions, messages: Messages) -> int:
    """Run the cells; return the exit status."""
    is_sweep = _is_sweep(options)
    require_fitting(options)
    deployed = deployed_service(options)
    if deployed is not None:
        options = deployed.options
    arrivals = [parse_arrivals(text) for text in options.arrivals]
    clock = clock_for(options.clock, options.transport)
    # In virtual time a trial is the same each time, and its figures are compared exactly.
    asks = options.sessions or options.trials or options.budget or is_sweep
    is_usual = not asks and clock is not ClockMode.VIRTUAL
    factors = replace(
        factors_of(
            scenarios,
            options,
            clock=clock,
            concurrency=_loads(options),
            transports=options.transport,
            arrivals=arrivals,
        ),
        adapts_sessions=is_usual,
        **({} if deployed is None else deployed.factors),
    )
    factors = replace(
        factors,
        processes=_processes(options, factors, clock),
        split_limits=options.split_limits,
    )
    for scenario, plan in product(factors.scenarios, arrivals):
        intended_ns(plan, scenario, factors.seed, 1)  # a plan that cannot be made is refused now
    processes = TrialProcesses(
        options.time_limit,
        network=Network(options.network),
        forks=True,
        tell=detail_for(messages),
    )
    processes.start()
    if not options.json:  # which draws nothing
        import_ahead(*_AT_THE_END)
    specs = [replace(spec, accounts_time=True) for spec in cells_of(factors)]
    sampling = (
        usual_sampling(specs)
        if is_usual
        else Sampling(
            trials=trials_of(options.trials, clock), budget_s=budget_of(options.budget, clock)
        )
    )
    validated = specs_to_validate(specs, options.validate, AUTO if is_sweep else clock)
    out = options.resume or folder(options.out)
    for target in factors.targets:
        ahead = next((spec for spec in specs if spec.cell.target == target), None)
        processes.check_target(target, ahead)
    header, kept = (resume_run if options.resume else begin_run)(header_of(options.slo), out)
    run_file = out / RUN_FILE
    first = () if is_sweep else specs
    trials = ShardedTrials(SoloTrials(processes, SoloFolder(out), first))
    with cluster_for(options, messages) as cluster, run_progress(messages) as progress:
        measure = (
            partial(run_cells, runner=trials)
            if cluster is None
            else partial(run_cells_on, cluster, solo=SoloSessions(SoloFolder(out), first))
        )
        found, interrupted = measure(
            header,
            first,
            sampling=sampling,
            observer=progress,
            save=lambda run: write_run(run, run_file),
            kept=kept,
            more=_sweep(factors, options, sampling).next if is_sweep else lambda _: (),
        )
    if not interrupted:
        found, interrupted = _with_data_flows(found, factors, processes, run_file)
    if validated and not interrupted:
        found, interrupted = validate(
            found, validated, sampling.trials, trials, run_file, messages=messages
        )
    if options.json:
        print(json.dumps(asdict(redacted(found)), indent=2))  # noqa: T201 - what was asked for
    else:
        show_run(found, run_file, out, messages)
    if interrupted:
        return INTERRUPTED
    failed = failure_status(found, factors.scenarios, options.max_failed, is_sweep=is_sweep)
    return failed or ranking_status(found) or objective_status(found)


def _processes(options: RunOptions, factors: Factors, clock: ClockMode) -> tuple[int, ...]:
    scenarios, split = factors.scenarios, options.split_limits
    if options.shards is not None:
        return shards_of(options.shards, scenarios, clock, split_limits=split)
    return processes_of(options.processes, scenarios, clock, split_limits=split)


def _with_data_flows(
    found: Run, factors: Factors, processes: TrialProcesses, run_file: Path
) -> tuple[Run, bool]:
    """Return the run with the data flow of each target, saved, and whether it was interrupted."""
    try:
        with_them = with_data_flows(found, factors.scenarios, processes)
    except KeyboardInterrupt:
        return found, True
    if with_them is not found:
        write_run(with_them, run_file)
    return with_them, False


def _sweep(factors: Factors, options: RunOptions, sampling: Sampling) -> Sweep:
    objectives = None if options.slo is None else parse_objectives(options.slo)
    return Sweep(factors, objectives, sampling.trials)


def _is_sweep(options: RunOptions) -> bool:
    """Whether the loads are to be found.

    Raises:
        UsageError: What was asked for beside it does not go with it.
    """
    if AUTO not in options.concurrency:
        return False
    refused = (
        ("other loads", len(options.concurrency) > 1),
        ("--arrivals", any(plan != CLOSED.name for plan in options.arrivals)),
    )
    for what, is_there in refused:
        if is_there:
            raise UsageError(f"--concurrency {AUTO}: cannot go with {what}; leave one of them out")
    return True


def _loads(options: RunOptions) -> tuple[int, ...]:
    return tuple(load for load in options.concurrency if isinstance(load, int))
