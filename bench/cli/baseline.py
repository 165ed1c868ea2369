"""``warpbench baseline``: write down what the cells look like while all is well."""

import argparse
from pathlib import Path

from rich.console import Console

from ...mocks.clock import ClockMode
from ...mocks.errors import BaselineError
from ...mocks.scenario import load_scenario
from ..gate.baseline import Baseline, baseline_of, write_baseline
from ..gate.configuration import Configuration, read_configuration
from ..gate.measuring import NotMeasured, measure
from ..runner.environment import packages_of, read_environment
from ..runner.plan import cells_of
from ..trial.spec import TrialSpec
from .cells import cells_named
from .options import add_factors, factors_of
from .progress import measuring_progress


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "baseline",
        help="write the gate's baseline file",
        description="Without arguments: the cells that [tool.warpbench] in pyproject.toml names.",
    )
    parser.set_defaults(command=_baseline)
    add_factors(parser, strategies="gather", loops="asyncio")
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions, too (needs valgrind)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="file to write; default: the one that the gate reads"
    )


def _baseline(options: argparse.Namespace) -> int:
    configuration = read_configuration(Path.cwd())
    specs, given = _cells(options, configuration)
    progress = measuring_progress(len(specs))
    found = measure(specs, progress, with_instructions=options.instructions)
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
    path = options.out or configuration.baseline
    python = read_environment().python
    write_baseline(Baseline(python=python, packages=packages_of(modules), cells=cells), path)
    Console().print(
        f"{path}: {len(cells)} cell{'' if len(cells) == 1 else 's'}; commit it, and let CI run "
        "`warpbench gate`",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
    return 0


def _cells(
    options: argparse.Namespace, configuration: Configuration
) -> tuple[tuple[TrialSpec, ...], dict[str, str]]:
    """Return the cells to measure, and each scenario as it was given: so it is found again."""
    asked = options.scenarios or options.target or options.strategy or options.loop
    if configuration.cells and not asked:
        return cells_named(configuration)
    specs = cells_of(factors_of(options, ClockMode.VIRTUAL))
    given = {load_scenario(name).name: name for name in options.scenarios}
    return specs, {
        spec.cell.scenario: given.get(spec.cell.scenario, spec.cell.scenario) for spec in specs
    }
