"""The cells that a project's configuration names."""

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.scenario import load_scenario
from ..gate.configuration import Configuration
from ..results.cell import NO_LOOP, CellName, parse_cell_name
from ..runner.choices import one_of
from ..runner.plan import Factors, cells_of
from ..strategies import available_strategies
from ..trial.loops import LOOPS, require_loop
from ..trial.spec import TrialSpec
from .factors import pool_size
from .values import tool_workers as read_tool_workers


def cells_named(
    configuration: Configuration,
    *,
    sessions: int | None = None,
    seed: int | None = None,
    tool_workers: int | str | None = None,
) -> tuple[tuple[TrialSpec, ...], dict[str, str]]:
    """Return the cells of ``[tool.warpbench]``, and each scenario as it was given.

    Args:
        configuration: What the project says.
        sessions: Sessions of each, in place of the project's.
        seed: Seed of the scripts, likewise.
        tool_workers: Size of the pool for blocking tools, likewise.

    Raises:
        UsageError: A name is none, or names something that is not there.
    """
    names = [parse_cell_name(name) for name in dict.fromkeys(configuration.cells)]
    factors = [
        _factors(
            name,
            sessions=sessions or configuration.sessions,
            seed=configuration.seed if seed is None else seed,
            workers=pool_size(
                tool_workers or _configured_workers(configuration.tool_workers),
            ),
        )
        for name in names
    ]
    specs = tuple(spec for each in factors for spec in cells_of(each))
    return specs, {load_scenario(name.scenario).name: name.scenario for name in names}


def _configured_workers(value: int | str) -> int | str:
    try:
        return read_tool_workers(str(value))
    except ValueError as error:
        raise UsageError(f"tool.warpbench.tool-workers: {error}") from None


def _factors(name: CellName, *, sessions: int | None, seed: int, workers: int | None) -> Factors:
    strategies = available_strategies()
    if name.loop != NO_LOOP:
        require_loop(one_of("loop", name.loop, LOOPS))
    return Factors(
        scenarios=(load_scenario(name.scenario),),
        targets=(name.target,),
        strategies=(strategies[one_of("strategy", name.strategy, strategies)],),
        loops=(name.loop,),
        concurrency=(name.concurrency,),
        session_count=sessions,
        clock=ClockMode.VIRTUAL,
        seed=seed,
        tool_workers=workers,
    )
