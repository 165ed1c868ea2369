"""What ``warpbench explore`` does: runs schedules, and shows the smallest cases that fail."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.redaction import redacted
from ...reports.terminal.exploration import exploration_lines, replayed_lines
from ..exploration.exploring import Explorer
from ..results.case import Case
from ..results.exploration import Exploration, Replayed
from ..results.exploration_file import Explorations
from ..runner.plan import cells_of
from ..runner.processes import TrialProcesses
from ..trial.spec import TrialSpec
from .commands.explore import ExploreOptions
from .exit_status import BAD_ANSWER, DONE, INTERRUPTED, NOT_DONE
from .factors import factors_of, folder
from .options import FactorOptions, Messages
from .progress import detail_for, stderr_for
from .showing import show_paths


def explore(scenario: str, options: ExploreOptions, messages: Messages) -> int:
    """Explore the cells; return the exit status."""
    for option, is_given in (("--out", options.out is not None), ("--json", options.json)):
        if is_given and options.replay is not None:
            raise UsageError(f"--replay: its case is only shown; leave {option} out")
    factors = factors_of(
        (scenario,),
        FactorOptions(
            target=(options.target,),
            strategy=options.strategy,
            loop=options.loop,
            sessions=options.sessions,
            seed=options.seed,
        ),
        clock=ClockMode.VIRTUAL,
        concurrency=(options.concurrency or options.sessions,),
    )
    processes = TrialProcesses(
        options.time_limit, forks=options.replay is None, tell=detail_for(messages)
    )
    processes.start()
    specs = cells_of(factors)
    processes.check_target(options.target, next(iter(specs), None))
    if options.replay is not None:
        console = Console()
        replays = [_replayed(processes, spec, options.replay, console) for spec in specs]
        if any(each.failures for each in replays):
            return BAD_ANSWER
        return NOT_DONE if any(each.unfit for each in replays) else DONE
    return _explore_all(processes, specs, scenario, options, messages)


def _explore_all(
    processes: TrialProcesses,
    specs: Sequence[TrialSpec],
    scenario: str,
    options: ExploreOptions,
    messages: Messages,
) -> int:
    """Explore cell after cell, and show what was found; return the exit status."""
    out, console = None if options.out is None else folder(options.out), Console()
    found, paths = Explorations(scenario=scenario), list[Path]()
    try:
        for spec in specs:
            explored = _explored(processes, spec, options, messages)
            found = replace(found, explorations=(*found.explorations, explored))
            if not options.json:
                for line in exploration_lines(explored, scenario):
                    console.print(line, soft_wrap=True, markup=False, highlight=False)
            if out is not None:  # after each cell: what is found is not lost with a later one
                paths = _written(found, out)
            if explored.is_interrupted:
                break
    except KeyboardInterrupt:
        processes.kill()
        return INTERRUPTED
    if options.json:
        print(json.dumps(asdict(redacted(found)), indent=2))  # noqa: T201 - what was asked for
    else:
        show_paths(paths, console, messages)
    if any(each.is_interrupted for each in found.explorations):
        processes.kill()
        return INTERRUPTED
    return BAD_ANSWER if any(each.found for each in found.explorations) else DONE


def _written(found: Explorations, out: Path) -> list[Path]:
    """Write the page and the file of what was found so far; return both."""
    # The template engine takes a while to import.
    from ...reports.html.exploration import write_exploration  # noqa: PLC0415

    return write_exploration(found, out)


def _explored(
    processes: TrialProcesses, spec: TrialSpec, options: ExploreOptions, messages: Messages
) -> Exploration:
    console = stderr_for(messages)
    total = max(0, options.schedules - options.begins_at)
    with console.status(f"{spec.cell.name}: exploring") as status:

        def progress(done: int, failures: int) -> None:
            text = f"{spec.cell.name}: {done} of {total} schedules, {failures} failures seen"
            status.update(text)
            if messages.verbose:
                console.print(text, markup=False, highlight=False, soft_wrap=True)

        return Explorer(processes, spec).explore(
            options.schedules, progress, begins_at=options.begins_at, budget_s=options.budget
        )


def _replayed(processes: TrialProcesses, spec: TrialSpec, case: Case, console: Console) -> Replayed:
    """Run a case again, and show it."""
    replayed = Explorer(processes, spec).replay(case)
    for line in replayed_lines(spec.cell, replayed):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    return replayed
