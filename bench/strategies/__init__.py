"""The concurrency strategies: one short file each, that reads like its definition.

A third party adds one by an entry point in the group ``warpbench.strategies`` that names a
``Strategy``.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points

from ...mocks.errors import UsageError
from . import blocking, executor, gather, sync, taskgroup, threads, workers
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
        UsageError: An entry point cannot be loaded, is no strategy, or takes a name twice.
    """
    strategies = {strategy.name: strategy for strategy in BUILT_IN}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        where = f"entry point {entry_point.name!r} of group {ENTRY_POINT_GROUP!r}"
        try:
            strategy = entry_point.load()
        except (ImportError, AttributeError) as error:
            raise UsageError(f"{where} cannot be loaded: {error}") from error
        if not isinstance(strategy, Strategy):
            raise UsageError(f"{where}: expected a Strategy, found {type(strategy).__name__}")
        if strategy.name in strategies:
            raise UsageError(f"{where}: there is a strategy {strategy.name!r} already")
        strategies[strategy.name] = strategy
    return strategies
