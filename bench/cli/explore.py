"""What ``warpbench explore`` does: runs schedules, and shows the smallest cases that fail."""

import json
from dataclasses import asdict

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.redaction import redacted
from ...reports.terminal.exploration import exploration_lines, replayed_lines
from ..exploration.exploring import Explorer
from ..results.case import Case
from ..results.exploration import Exploration, Replayed
from ..runner.plan import cells_of
from ..runner.processes import TrialProcesses
from ..trial.spec import TrialSpec
from .commands.explore import ExploreOptions
from .exit_status import BAD_ANSWER, DONE, INTERRUPTED, NOT_DONE
from .factors import factors_of
from .options import FactorOptions, Messages
from .progress import stderr_for


def explore(scenario: str, options: ExploreOptions, messages: Messages) -> int:
    """Explore the cells; return the exit status."""
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
    processes = TrialProcesses(options.time_limit)
    processes.start()
    processes.check_target(options.target)
    specs = cells_of(factors)
    console = Console()
    if options.replay is not None:
        replays = [_replayed(processes, spec, options.replay, console) for spec in specs]
        if any(each.failures for each in replays):
            return BAD_ANSWER
        return NOT_DONE if any(each.unfit for each in replays) else DONE
    explorations: list[Exploration] = []
    try:
        for spec in specs:
            explorations.append(_explored(processes, spec, options, messages))
            if not options.json:
                for line in exploration_lines(explorations[-1], scenario):
                    console.print(line, soft_wrap=True, markup=False, highlight=False)
            if explorations[-1].is_interrupted:
                break
    except KeyboardInterrupt:
        processes.kill()
        return INTERRUPTED
    if options.json:
        documents = [redacted(asdict(each)) for each in explorations]
        print(json.dumps(documents, indent=2))  # noqa: T201 - what was asked for
    if any(each.is_interrupted for each in explorations):
        processes.kill()
        return INTERRUPTED
    return BAD_ANSWER if any(each.found for each in explorations) else DONE


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
