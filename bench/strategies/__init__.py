"""The concurrency strategies: one short file each, that reads like its definition.

A third party has one in any module, and names it ``module:ATTRIBUTE``; or adds one by an entry
point in the group ``warpbench.strategies`` that names a ``Strategy``.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from ...mocks.errors import UsageError, name_of, text_of
from ...mocks.scenario.diagnostics import unknown
from ...mocks.standard_output import printing_to_stderr
from . import blocking, executor, gather, sync, taskgroup, threads, workers
from .named import is_of_a_module, strategy_of_a_module
from .protocol import AsyncSession, Drives, Strategy, SyncSession, Tasks

__all__ = [
    "BUILT_IN",
    "AsyncSession",
    "Drives",
    "Strategy",
    "SyncSession",
    "Tasks",
    "available_strategies",
    "default_strategies",
    "is_of_a_module",
    "strategy_named",
]

ENTRY_POINT_GROUP = "warpbench.strategies"

BUILT_IN: tuple[Strategy, ...] = (
    sync.STRATEGY,
    threads.STRATEGY,
    executor.STRATEGY,
    gather.STRATEGY,
    taskgroup.STRATEGY,
    workers.STRATEGY,
    blocking.STRATEGY,
)


def default_strategies() -> tuple[str, ...]:
    """Return the names of the strategies that are measured unless others are named."""
    return tuple(each.name for each in available_strategies().values() if each.is_default)


def available_strategies() -> Mapping[str, Strategy]:
    """Return the strategies by name: the built-in ones, then those of other packages.

    Raises:
        UsageError: An entry point cannot be loaded or is no strategy, or two have one name.
    """
    strategies: dict[str, Strategy] = {}
    for where, strategy in (*_built_in(), *_of_other_packages()):
        if strategy.name in strategies:
            raise UsageError(f"{where}: there is a strategy {strategy.name!r} already; rename it")
        strategies[strategy.name] = strategy
    return strategies


def strategy_named(name: str) -> Strategy:
    """Return the strategy of that name, which is one's alone: of a registry, or of a module.

    Other packages are asked only where no built-in one has the name: to look for their entry
    points takes as long as a few sessions.

    Raises:
        UsageError: As for ``available_strategies``; or there is no such strategy.
    """
    if is_of_a_module(name):
        return strategy_of_a_module(name)
    built_in = next((each for each in BUILT_IN if each.name == name), None)
    if built_in is not None:
        return built_in
    available = available_strategies()
    if name not in available:
        expected = ", ".join(available)
        what = f"expected one of {expected}, or module:ATTRIBUTE"
        raise UsageError(f"strategy {unknown(name, available)}: {what}")
    return available[name]


def _built_in() -> Iterator[tuple[str, Strategy]]:
    for strategy in BUILT_IN:
        yield f"BUILT_IN of {__name__}, {strategy.summary!r}", strategy


def _of_other_packages() -> Iterator[tuple[str, Strategy]]:
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        where = f"entry point {entry_point.name!r} of group {ENTRY_POINT_GROUP!r}"
        try:
            with printing_to_stderr():
                strategy = entry_point.load()
        except (Exception, SystemExit) as error:  # a module of others may raise anything
            what = f"{name_of(error)}: {text_of(error)}"
            raise UsageError(f"{where} cannot be loaded: {what}") from error
        if not isinstance(strategy, Strategy):
            raise UsageError(f"{where}: expected a Strategy, found {type(strategy).__name__}")
        yield where, strategy
