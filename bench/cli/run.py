"""``warpbench run``: compare strategies; table, charts, page and results file."""

import argparse
import json
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.transports.transports import TRANSPORTS
from ...mocks.workload.arrivals import CLOSED, intended_ns, parse_arrivals
from ...reports.terminal.progress import progress_on
from ..results.run_file import RUN_FILE, write_run
from ..runner.plan import cells_of, usual_sampling
from ..runner.processes import TrialProcesses, import_ahead
from ..runner.resuming import begin_run, resume_run
from ..runner.runner import run_cells
from ..statistics.scaling import parse_objective
from ..statistics.stopping import Sampling
from ..studies.sweep import sweep
from .measuring import add_time_limit, header_of, time_limit_s
from .options import (
    DEFAULT_TRIALS,
    add_factors,
    budget_s,
    clock_for,
    factors_of,
    folder,
    several,
    transports_of,
    trials,
)
from .showing import show_run
from .validating import specs_to_validate, validate

AUTO = "auto"

_AT_THE_END = ("warpbench.reports.charts.render", "warpbench.reports.html.page")


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("run", help="compare strategies: table, charts, page, run.json")
    parser.set_defaults(command=_run)
    add_factors(parser)
    modes = f"{', '.join(ClockMode)} (warp)"
    parser.add_argument("--clock", metavar="MODE", help=modes)
    parser.add_argument(
        "--transport",
        action="append",
        metavar="NAME[,NAME…]",
        help=f"{', '.join(TRANSPORTS)}; over sockets the clock is wall (respx)",
    )
    parser.add_argument(
        "--arrivals",
        action="append",
        metavar="PLAN[,PLAN…]",
        help="when sessions arrive: closed, constant:RATE, poisson:RATE, ramp:RATE-RATE "
        "(sessions a second), trace[:SPEED] (closed)",
    )
    parser.add_argument("--trials", metavar="N", help=f"default: {DEFAULT_TRIALS}, 1 if virtual")
    parser.add_argument(
        "--budget",
        metavar="TIME",
        help="more trials, until each cell's interval is narrow or this time is up: 60s, 5m",
    )
    parser.add_argument(
        "--slo",
        metavar="FIGURE=TIME",
        help="a latency objective such as p99=2s: the report says which load keeps it",
    )
    parser.add_argument(
        "--validate",
        action="append",
        metavar="NAME[,NAME…]",
        help="run these cells with real waiting too, and tell how far warp is off: all, "
        "strategies, or cells",
    )
    add_time_limit(parser)
    parser.add_argument(
        "--out", default="results", metavar="DIR", help="folder to write to (results)"
    )
    parser.add_argument(
        "--resume", metavar="DIR", help="go on with the interrupted run in DIR: the same command"
    )
    parser.add_argument("--json", action="store_true", help="print the run as JSON, nothing else")


def _is_sweep(options: argparse.Namespace) -> bool:
    """Whether the loads are to be found.

    Raises:
        UsageError: What was asked for beside it does not go with it.
    """
    loads = several(options.concurrency)
    if AUTO not in loads:
        return False
    refused = (
        ("other loads", loads != [AUTO]),
        ("--arrivals", any(plan != CLOSED.name for plan in several(options.arrivals))),
    )
    for what, is_there in refused:
        if is_there:
            raise UsageError(f"--concurrency {AUTO}: cannot go with {what}; leave one of them out")
    return True


def _run(options: argparse.Namespace) -> int:
    transports = transports_of(options.transport)
    arrivals = [parse_arrivals(text) for text in several(options.arrivals)] or [CLOSED]
    clock = clock_for(options.clock, transports)
    is_sweep = _is_sweep(options)
    loads = None if is_sweep else options.concurrency
    asked = argparse.Namespace(**(vars(options) | {"concurrency": loads}))
    # In virtual time a trial is the same each time, and its figures are compared exactly.
    asks = options.sessions or options.trials or options.budget or is_sweep
    is_usual = not asks and clock is not ClockMode.VIRTUAL
    factors = replace(factors_of(asked, clock, transports, arrivals), adapts_sessions=is_usual)
    for scenario, plan in product(factors.scenarios, arrivals):
        intended_ns(plan, scenario, factors.seed, 1)  # a plan that cannot be made is told now
    processes = TrialProcesses(time_limit_s(options))
    processes.start()
    import_ahead(*_AT_THE_END)
    if options.slo is not None:
        parse_objective(options.slo)
    specs = [replace(spec, accounts_time=True) for spec in cells_of(factors)]
    sampling = (
        usual_sampling(specs)
        if is_usual
        else Sampling(
            trials=trials(options.trials, factors.clock),
            budget_s=budget_s(options.budget, factors.clock),
        )
    )
    validated = specs_to_validate(specs, several(options.validate), AUTO if is_sweep else clock)
    out = Path(options.resume) if options.resume else folder(options.out)
    for target in factors.targets:
        processes.check_target(target)
    header, kept = (resume_run if options.resume else begin_run)(header_of(options.slo), out)
    run_file = out / RUN_FILE
    with progress_on(Console(stderr=True)) as progress:
        measure = partial(sweep, header, factors) if is_sweep else partial(run_cells, header, specs)
        run, interrupted = measure(
            sampling=sampling,
            runner=processes,
            observer=progress,
            save=lambda run: write_run(run, run_file),
            kept=kept,
        )
    if validated and not interrupted:
        run, interrupted = validate(run, validated, sampling.trials, processes, run_file)
    if options.json:
        print(json.dumps(asdict(run), indent=2))  # noqa: T201 - what was asked for
    else:
        show_run(run, run_file, out)
    return 128 + interrupted if interrupted else 0
