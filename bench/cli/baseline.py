"""What ``warpbench baseline`` does: measures cells, and writes down what they look like."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import BaselineError, UsageError
from ...mocks.network import Network
from ...mocks.scenario import load_scenario
from ..gate.baseline import Baseline, baseline_of, write_baseline
from ..gate.configuration import CONFIGURATION_FILE, Configuration, read_configuration
from ..gate.measuring import NotMeasured, measure
from ..results.formatting import counted
from ..runner.environment import packages_of, read_environment
from ..runner.plan import cells_of
from ..trial.spec import TrialSpec
from .cells import cells_named, tool_workers_of
from .clusters import gate_trials, require_measured_there
from .commands.baseline import BaselineOptions
from .exit_status import DONE
from .factors import factors_of
from .options import DEFAULT_SCENARIO, DEFAULT_TARGET, FactorOptions, Messages
from .progress import measuring_progress, stderr_for

_DEFAULT_STRATEGY = "gather"
_DEFAULT_LOOP = "asyncio"


def write(scenarios: Sequence[str], options: BaselineOptions, messages: Messages) -> int:
    """Write the baseline; return the exit status."""
    require_measured_there(options.on, {"--instructions": options.instructions})
    configuration = _with_options(read_configuration(Path.cwd()), options)
    specs, given = _cells(scenarios, options, configuration)
    progress = measuring_progress([spec.cell.name for spec in specs], messages)
    with gate_trials(options.on, configuration.network, messages) as trials:
        found = measure(
            specs,
            progress,
            with_instructions=options.instructions,
            network=configuration.network,
            trials=trials,
        )
    for lost in () if trials is None else trials.findings():
        stderr_for(messages).print(lost.message, markup=False, highlight=False, soft_wrap=True)
    cells = {}
    modules: set[str] = set()
    for spec, each in zip(specs, found, strict=True):
        if isinstance(each, NotMeasured):
            raise BaselineError(
                f"{spec.cell.name}: {each.reason}; a baseline is made of cells that work, so "
                "none was written"
            )
        made = baseline_of(spec.cell, given[spec.cell.scenario], each)
        cells[made.cell.name] = made
        modules |= each.modules
    path = options.out or Path(configuration.baseline)
    python = read_environment().python
    write_baseline(Baseline(python=python, packages=packages_of(modules), cells=cells), path)
    if not messages.quiet:
        Console().print(
            f"{path}: {counted(len(cells), 'cell')}; commit it, and let CI run `warpbench gate`",
            soft_wrap=True,
            markup=False,
            highlight=False,
        )
    return DONE


def _with_options(configuration: Configuration, options: BaselineOptions) -> Configuration:
    """Return what the project says, with what the command line says in its place."""
    return replace(
        configuration,
        sessions=options.sessions or configuration.sessions,
        seed=configuration.seed if options.seed is None else options.seed,
        tool_workers=options.tool_workers or configuration.tool_workers,
        network=Network(options.network) if options.network else configuration.network,
    )


def _cells(
    scenarios: Sequence[str], options: BaselineOptions, configuration: Configuration
) -> tuple[tuple[TrialSpec, ...], dict[str, str]]:
    """Return the cells to measure, and each scenario as it was given: so it is found again.

    Raises:
        UsageError: A load is asked for of cells that have one in their names.
    """
    names_cells = scenarios or options.target or options.strategy or options.loop
    if configuration.cells and not names_cells:
        if options.concurrency:
            raise UsageError(
                f"baseline --concurrency: [tool.warpbench] in {CONFIGURATION_FILE} names the "
                f"cells with their loads ({configuration.cells[0]}): leave it out, or name a "
                "SCENARIO"
            )
        return cells_named(configuration)
    factors = factors_of(
        scenarios or (DEFAULT_SCENARIO,),
        FactorOptions(
            target=options.target or (DEFAULT_TARGET,),
            strategy=options.strategy or (_DEFAULT_STRATEGY,),
            loop=options.loop or (_DEFAULT_LOOP,),
            sessions=configuration.sessions,
            seed=configuration.seed,
            tool_workers=tool_workers_of(configuration),
        ),
        clock=ClockMode.VIRTUAL,
        concurrency=options.concurrency,
    )
    specs = cells_of(factors)
    given = {load_scenario(name).name: name for name in scenarios}
    return specs, {
        spec.cell.scenario: given.get(spec.cell.scenario, spec.cell.scenario) for spec in specs
    }
