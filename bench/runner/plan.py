"""The plan of a run: which cells, and in which order their trials take turns. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import msgspec

from ...mocks.clock import ClockMode
from ...mocks.scenario import Scenario
from ...mocks.transports.transports import RESPX
from ...mocks.workload.arrivals import CLOSED, ArrivalKind, Arrivals
from ..results.cell import NO_LOOP, Cell
from ..results.trial_file import CellKey
from ..strategies import Strategy
from ..trial.machine import cores_of, default_executor_workers
from ..trial.spec import TrialSpec

DEFAULT_CONCURRENCY = (1, 10, 100)

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
    """

    scenarios: tuple[Scenario, ...]
    strategies: tuple[Strategy, ...]
    targets: tuple[str, ...] = ("agent",)
    loops: tuple[str, ...] = ("asyncio",)
    concurrency: tuple[int, ...] = ()
    session_count: int | None = None
    clock: ClockMode = ClockMode.VIRTUAL
    seed: int = 1
    tool_workers: int | None = None
    transports: tuple[str, ...] = (RESPX.name,)
    arrivals: tuple[Arrivals, ...] = (CLOSED,)


def cells_of(factors: Factors) -> tuple[TrialSpec, ...]:
    """Return one spec per combination that makes sense, in the order of the factors.

    A strategy without a loop is not repeated over loops. Over loads all are, even one that
    has a single session in flight whatever the load: it is held against the ideal at each.
    """
    specs: dict[Cell, TrialSpec] = {}
    for scenario, arrivals in product(factors.scenarios, factors.arrivals):
        count = factors.session_count or scenario.sessions
        loads = factors.concurrency or _usual_loads(scenario, arrivals, count)
        for target, transport, (strategy, loop), load in product(
            factors.targets, factors.transports, _strategies_on_loops(factors), loads
        ):
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
                tool_workers=_tool_workers(factors, scenario, max(loads)),
                arrivals=arrivals.name,
            )
            specs[cell] = TrialSpec(scenario, cell)
    return tuple(specs.values())


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
