"""The plan of a run: which cells, and in which order their trials take turns. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import TypeVar

import msgspec

from ...mocks.clock import ClockMode
from ...mocks.scenario import Scenario
from ...mocks.transports.registry import RESPX
from ...mocks.workload.arrivals import CLOSED, ArrivalKind, Arrivals
from ..results.cell import NO_LOOP, Cell
from ..results.trial_file import CellKey
from ..services.served import READY_WITHIN_S
from ..statistics.intervals import FEWEST_TRIALS
from ..statistics.percentiles import samples_for
from ..statistics.stopping import (
    CERTAIN,
    MOST_USUAL_TRIALS,
    USUAL_BUDGET_S,
    USUAL_TRIALS,
    Sampling,
    trials_for,
)
from ..strategies import Strategy
from ..trial.loops import ASYNCIO
from ..trial.machine import cores_of, default_executor_workers
from ..trial.spec import TrialSpec

DEFAULT_CONCURRENCY = (1, 10, 100)

_WAVES = 3
_FEWEST_SHARE = 4
_P99 = 99

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a run varies, and what it holds fixed.

    Attributes:
        scenarios: The workloads.
        strategies: How sessions are driven.
        targets: Names of the agents under test.
        loops: Names of the event loops, for strategies that run on one.
        concurrency: Sessions in flight at most; empty for what each scenario says.
        session_count: Sessions of a trial; ``None`` for what each scenario says.
        clock: How time passes.
        seed: Seed of the scripts.
        tool_workers: Threads for blocking tools; ``None`` for as many as the highest load
            needs, 0 for Python's default size.
        transports: Names of the ways of reaching the model.
        arrivals: When sessions arrive.
        processes: Over how many processes the sessions of a cell are shared out.
        split_limits: Whether each of several processes has its part of the limits that sessions
            share.
        adapts_sessions: Whether a trial has as many sessions as its load takes, where that is
            fewer than the scenario says; only in a closed loop, and without ``session_count``.
        workers: Workers that a service as deployed is told to have; 0 for any other target.
        ready_within_s: Real seconds that it gets to answer its first request.
    """

    scenarios: tuple[Scenario, ...]
    strategies: tuple[Strategy, ...]
    targets: tuple[str, ...] = ("agent",)
    loops: tuple[str, ...] = (ASYNCIO.name,)
    concurrency: tuple[int, ...] = ()
    session_count: int | None = None
    clock: ClockMode = ClockMode.VIRTUAL
    seed: int = 1
    tool_workers: int | None = None
    transports: tuple[str, ...] = (RESPX.name,)
    arrivals: tuple[Arrivals, ...] = (CLOSED,)
    processes: tuple[int, ...] = (1,)
    split_limits: bool = False
    adapts_sessions: bool = False
    workers: tuple[int, ...] = (0,)
    ready_within_s: float = READY_WITHIN_S


def cells_of(factors: Factors) -> tuple[TrialSpec, ...]:
    """Return one spec per combination that makes sense, in the order of the factors.

    A strategy without a loop is not repeated over loops. Over loads all are, even one that
    has a single session in flight whatever the load: it is held against the ideal at each.
    """
    specs: dict[Cell, TrialSpec] = {}
    adapts = factors.adapts_sessions and factors.session_count is None
    for scenario, arrivals in product(factors.scenarios, factors.arrivals):
        count = factors.session_count or scenario.sessions
        loads = factors.concurrency or _usual_loads(scenario, arrivals, count)
        for target, transport, workers, (strategy, loop), load, processes in product(
            factors.targets,
            factors.transports,
            factors.workers,
            _strategies_on_loops(factors),
            loads,
            factors.processes,
        ):
            cell = Cell(
                scenario=scenario.name,
                target=target,
                strategy=strategy.name,
                one_at_a_time=strategy.one_at_a_time,
                loop=loop,
                transport=transport,
                clock=factors.clock,
                concurrency=load,
                session_count=sessions_at(load, count)
                if adapts and arrivals.kind is ArrivalKind.CLOSED
                else count,
                seed=factors.seed,
                tool_workers=_tool_workers(factors, scenario, max(loads)),
                arrivals=arrivals.name,
                processes=processes,
                split_limits=factors.split_limits and processes > 1,
                workers=workers,
            )
            specs[cell] = TrialSpec(scenario, cell, ready_within_s=factors.ready_within_s)
    return tuple(specs.values())


def usual_sampling(specs: Sequence[TrialSpec]) -> Sampling:
    """Return how many trials each cell gets, unless that is asked for.

    A cell whose trials have fewer sessions than its scenario says gets more of them. One that is
    certain before gets no more, and leaves its time to those that are not: these get more while
    their figure is uncertain. On a slow machine, where time runs out, a cell gets no more than the
    usual ones.
    """
    fewer = [spec for spec in specs if spec.cell.session_count < spec.scenario.sessions]
    return Sampling(
        trials=USUAL_TRIALS,
        budget_s=USUAL_BUDGET_S,
        most=MOST_USUAL_TRIALS,
        certain=CERTAIN,
        least=USUAL_TRIALS,
        trials_by_cell={
            spec.cell: trials_for(spec.cell.session_count / spec.scenario.sessions)
            for spec in fewer
        },
    )


def key_of(spec: TrialSpec) -> CellKey:
    """Return what tells the trials of a cell from all others: its workload, too."""
    text = msgspec.json.encode(spec, enc_hook=repr, order="sorted")
    return CellKey(spec.cell, hashlib.sha256(text).hexdigest())


def _strategies_on_loops(factors: Factors) -> tuple[tuple[Strategy, str], ...]:
    return tuple(
        (strategy, loop)
        for strategy in factors.strategies
        for loop in (factors.loops if strategy.on_loop else (NO_LOOP,))
    )


def sessions_at(load: int, most: int) -> int:
    """Return how many sessions a trial takes at a load.

    Three waves: the first begins all at once, the last one ends with fewer and fewer, and
    between them is a steady state. A quarter of what the scenario says, which takes two trials
    more (``trials_for``). And what p99 takes, over the fewest trials. All waves are full: what a
    last one of a few sessions lacks would be missing from the throughput.

    Args:
        load: Sessions in flight at most.
        most: How many the scenario says.
    """
    least = max(most / _FEWEST_SHARE, samples_for(_P99) / FEWEST_TRIALS)
    return min(most, load * max(_WAVES, ceil(least / load)))


def _usual_loads(scenario: Scenario, arrivals: Arrivals, count: int) -> tuple[int, ...]:
    """What arrives by a plan need not be held back, unless that is asked for."""
    if arrivals.kind is ArrivalKind.CLOSED:
        return scenario.concurrency or DEFAULT_CONCURRENCY
    return (count,)


def in_turn(things: Sequence[T], turn: int) -> Sequence[T]:
    """Return things in the order of a turn, there and back: A B C, C B A, A B C.

    A slow drift of the machine then falls on all alike, instead of on the last.
    """
    return things if turn % 2 == 0 else things[::-1]


def _tool_workers(factors: Factors, scenario: Scenario, load: int) -> int:
    """Return one size for all the cells of a scenario, so that they differ in nothing else."""
    if factors.tool_workers is None:
        return load * max(1, scenario.widest_round)
    return factors.tool_workers or default_executor_workers(cores_of(factors.clock))
