"""The plan of a run: which cells, and in which order their trials take turns. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from ..mocks.clock import ClockMode
from ..mocks.scenario import Scenario
from .arrivals import CLOSED, ArrivalKind, Arrivals
from .machine import cores_of, default_executor_workers
from .record import NO_LOOP, Cell
from .strategies import Strategy
from .transports import RESPX
from .trial import TrialSpec

DEFAULT_CONCURRENCY = (1, 10, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a run varies, and what it holds fixed.

    Attributes:
        scenarios: The workloads.
        targets: Names of the agents under test.
        strategies: How sessions are driven.
        loops: Names of the event loops, for strategies that run on one.
        concurrency: Sessions in flight at most; empty for what each scenario says.
        session_count: Sessions of a trial; ``None`` for what each scenario says.
        clock: How time passes.
        seed: Seed of the scripts.
        tool_workers: Threads for blocking tools; ``None`` for as many as the highest load
            needs, 0 for Python's default size.
        transports: Names of the ways of reaching the model.
        arrivals: When sessions arrive.
    """

    scenarios: tuple[Scenario, ...]
    targets: tuple[str, ...]
    strategies: tuple[Strategy, ...]
    loops: tuple[str, ...]
    concurrency: tuple[int, ...]
    session_count: int | None
    clock: ClockMode
    seed: int
    tool_workers: int | None
    transports: tuple[str, ...] = (RESPX.name,)
    arrivals: tuple[Arrivals, ...] = (CLOSED,)


def cells_of(factors: Factors) -> tuple[TrialSpec, ...]:
    """Return one spec per combination that makes sense, in the order of the factors.

    A strategy without a loop is not repeated over loops. Over loads all are, even one that
    has a single session in flight whatever the load: it is held against the ideal at each.
    """
    specs: dict[Cell, TrialSpec] = {}
    for scenario in factors.scenarios:
        count = factors.session_count or scenario.sessions
        for arrivals in factors.arrivals:
            # What arrives by a plan need not be held back, unless that is asked for.
            unasked = scenario.concurrency or DEFAULT_CONCURRENCY
            default = unasked if arrivals.kind is ArrivalKind.CLOSED else (count,)
            loads = factors.concurrency or default
            tool_workers = _tool_workers(factors, scenario, max(loads))
            for target, transport, strategy in product(
                factors.targets, factors.transports, factors.strategies
            ):
                loops = factors.loops if strategy.on_loop else (NO_LOOP,)
                for loop, load in product(loops, loads):
                    cell = Cell(
                        scenario=scenario.name,
                        target=target,
                        strategy=strategy.name,
                        loop=loop,
                        transport=transport,
                        clock=factors.clock,
                        concurrency=load,
                        session_count=count,
                        seed=factors.seed,
                        tool_workers=tool_workers,
                        arrivals=arrivals.name,
                    )
                    specs[cell] = TrialSpec(scenario, cell)
    return tuple(specs.values())


def interleaved(count: int, trials: int) -> Iterator[tuple[int, int]]:
    """Yield (trial, cell) so that cells take turns, there and back: A B C, C B A, A B C.

    A slow drift of the machine then falls on all cells alike, instead of on the last.
    """
    for trial in range(trials):
        cells = range(count) if trial % 2 == 0 else reversed(range(count))
        for cell in cells:
            yield trial, cell


def _tool_workers(factors: Factors, scenario: Scenario, load: int) -> int:
    """Return one size for all the cells of a scenario, so that they differ in nothing else."""
    if factors.tool_workers is None:
        return load * max(1, scenario.widest_round)
    return factors.tool_workers or default_executor_workers(cores_of(factors.clock))
