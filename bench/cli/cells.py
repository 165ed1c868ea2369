"""The cells that a project's configuration names."""

from ...mocks.clock import ClockMode
from ...mocks.scenario import load_scenario
from ..gate.configuration import Configuration
from ..results.cell import NO_LOOP, CellName, parse_cell_name
from ..runner.choices import one_of
from ..runner.plan import Factors, cells_of
from ..strategies import available_strategies
from ..trial.loops import require_loop
from ..trial.spec import TrialSpec
from .options import tool_workers


def cells_named(configuration: Configuration) -> tuple[tuple[TrialSpec, ...], dict[str, str]]:
    """Return the cells of ``[tool.warpbench]``, and each scenario as it was given.

    Raises:
        UsageError: A name is none, or names something that is not there.
    """
    names = [parse_cell_name(name) for name in dict.fromkeys(configuration.cells)]
    specs = tuple(spec for name in names for spec in cells_of(_factors(name, configuration)))
    return specs, {load_scenario(name.scenario).name: name.scenario for name in names}


def _factors(name: CellName, configuration: Configuration) -> Factors:
    strategies = available_strategies()
    if name.loop != NO_LOOP:
        require_loop(name.loop)
    return Factors(
        scenarios=(load_scenario(name.scenario),),
        targets=(name.target,),
        strategies=(strategies[one_of("strategy", name.strategy, strategies)],),
        loops=(name.loop,),
        concurrency=(name.concurrency,),
        session_count=configuration.sessions,
        clock=ClockMode.VIRTUAL,
        seed=configuration.seed,
        tool_workers=tool_workers(str(configuration.tool_workers)),
    )
