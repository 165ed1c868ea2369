"""The cells that a project's configuration names."""

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.scenario import load_scenario
from ..gate.configuration import Configuration
from ..results.cell import NO_LOOP, CellName, parse_cell_name
from ..runner.choices import one_of
from ..runner.plan import Factors, cells_of
from ..strategies import strategy_named
from ..trial.loops import LOOPS, require_loop
from ..trial.spec import TrialSpec
from .values import pool_size
from .values import tool_workers as read_tool_workers


def cells_named(configuration: Configuration) -> tuple[tuple[TrialSpec, ...], dict[str, str]]:
    """Return the cells of ``[tool.warpbench]``, and each scenario as it was given.

    Raises:
        UsageError: A name is none, or names something that is not there.
    """
    names = [parse_cell_name(name) for name in dict.fromkeys(configuration.cells)]
    specs = tuple(spec for name in names for spec in cells_of(_factors(name, configuration)))
    return specs, {load_scenario(name.scenario).name: name.scenario for name in names}


def tool_workers_of(configuration: Configuration) -> int | str:
    """Return the threads for blocking tools that a project asks for, as its option has them.

    Raises:
        UsageError: It asks for something that is no number of threads.
    """
    try:
        return read_tool_workers(str(configuration.tool_workers))
    except ValueError as error:
        raise UsageError(f"tool.warpbench.tool-workers: {error}") from None


def _factors(name: CellName, configuration: Configuration) -> Factors:
    if name.loop != NO_LOOP:
        require_loop(one_of("loop", name.loop, LOOPS))
    return Factors(
        scenarios=(load_scenario(name.scenario),),
        targets=(name.target,),
        strategies=(strategy_named(name.strategy),),
        loops=(name.loop,),
        concurrency=(name.concurrency,),
        session_count=configuration.sessions,
        clock=ClockMode.VIRTUAL,
        seed=configuration.seed,
        tool_workers=pool_size(tool_workers_of(configuration)),
    )
