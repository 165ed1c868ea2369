"""What accounting for the time of sessions costs: at most 3 % of their CPU.

Trials differ from each other by more than that, and a busy machine slows one down by a fifth. So
both arms run in one process, in turns of a hundred sessions: a second or two of noise then strikes
both alike, and the median of hundreds of paired ratios tells half a per cent. Both run on one core:
to wander between cores scatters the figures by twice as much. What trials state of it by themselves
(``probe_cpu_s``) is printed beside.
"""

import asyncio
import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

import pytest
from warpbench.bench.instruments.probe import Probe
from warpbench.bench.instruments.recorder import Accounting
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import Drives, Strategy, available_strategies
from warpbench.bench.targets.loading import Lab, opened_target
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import Clock, ClockMode, SkippingClock, create_clock, keeping_time
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import draw
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.tools import Delegates, lab_tools
from warpbench.mocks.world.world import World

GOAL_SHARE = 0.03
PAIRS = 200
SESSIONS = 100
SCENARIO = load_scenario("tools")
TASKS = {task_of(number, SCENARIO.name): number for number in range(SESSIONS)}

Turn = Callable[[], float]


class Arm:
    """The same sessions, with or without the accounting, on a clock and a loop that both share."""

    def __init__(
        self, clock: Clock, strategy: Strategy, runner: asyncio.Runner, accounting: Accounting
    ) -> None:
        self.clock = clock
        self.strategy = strategy
        self.runner = runner
        self.accounting = accounting
        script = draw(SCENARIO, seed=1, sessions=SESSIONS)
        sessions = {session.session: session for session in script.sessions}
        self.traffic = Traffic(self.accounting.meter)
        model = ScriptedModel(sessions)
        self.world = World(model, Services((), "any"), clock, Traffic(self.accounting.meter))
        tools = lab_tools(SCENARIO, sessions, clock, self.traffic, Delegates(lambda _: ""))
        lab = Lab(offered=tools, tool_workers=SESSIONS * 4)
        with opened_target("agent", lab, runner.run) as self.target:
            pass

    def cpu_s(self) -> float:
        """Run the sessions once; return the CPU seconds of each."""
        self.world.forget()
        self.traffic.reset()
        probe = Probe(self.clock, TASKS, self.accounting.meter)
        loop = self.runner.get_loop() if self.strategy.on_loop else None
        with (
            mocked_http(self.world),
            self.accounting.measuring(probe, lambda: self.world.traffic.in_flight, loop),
        ):
            before_s = time.process_time()
            self._drive(probe)
            taken_s = time.process_time() - before_s
        assert all(sample.outcome == "succeeded" for sample in probe.samples())
        return taken_s / SESSIONS

    def _drive(self, probe: Probe) -> None:
        if self.strategy.drives is Drives.ASYNC:
            assert self.target.session is not None
            watched = probe.watch_async(self.target.session)
            run: Any = self.strategy.run
            self.runner.run(run(watched, list(TASKS), SESSIONS))
        else:
            assert self.target.sync_session is not None
            self.strategy.run(probe.watch_sync(self.target.sync_session), list(TASKS), SESSIONS)


@contextmanager
def both_arms(name: str) -> Iterator[tuple[Arm, Arm]]:
    strategy = available_strategies()[name]
    clock = create_clock(ClockMode.WARP)
    assert isinstance(clock, SkippingClock)
    clock.tolerate_those_alive()
    accounting, none = (
        Accounting(clock, notes_waits=False, accounts_time=accounts, on_loop=strategy.on_loop)
        for accounts in (True, False)
    )
    with (
        accounting.looking(),
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: ASYNCIO.create(clock)) as runner,
    ):
        yield Arm(clock, strategy, runner, accounting), Arm(clock, strategy, runner, none)


@contextmanager
def on_one_core() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):  # not on Linux
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def paired_ratios(strategy: str, pairs: int) -> list[float]:
    ratios = []
    with on_one_core(), both_arms(strategy) as (with_it, without):
        with_it.cpu_s(), without.cpu_s()
        gc.collect()
        gc.disable()  # a full collection would fall into some turns and not into others
        try:
            for pair in range(pairs):
                arms = (with_it, without) if pair % 2 else (without, with_it)
                taken_s = {arm: arm.cpu_s() for arm in arms}
                ratios.append(taken_s[with_it] / taken_s[without])
                if pair % 20 == 0:
                    gc.collect()
        finally:
            gc.enable()
    return ratios


def stated_share(strategy: str) -> float:
    (spec,) = cells_of(
        Factors(
            scenarios=(SCENARIO,),
            strategies=(available_strategies()[strategy],),
            concurrency=(100,),
            session_count=1000,
            clock=ClockMode.WARP,
        )
    )
    result = TrialProcesses(600).run(replace(spec, accounts_time=True))
    assert isinstance(result, TrialResult)
    return (result.probe_cpu_s or 0) / result.cpu_s


def interval_of_median(values: list[float]) -> tuple[float, float]:
    chance = random.Random(1)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(1000))
    return medians[25], medians[-26]


@pytest.mark.benchmark(group="probe")
@pytest.mark.parametrize("strategy", ["gather", "threads"])
def test_accounting_costs_little(benchmark: Any, strategy: str) -> None:
    enabled = not benchmark.disabled

    ratios = benchmark.pedantic(
        paired_ratios, args=(strategy, PAIRS if enabled else 2), rounds=1, iterations=1
    )

    share = median(ratios) - 1
    benchmark.extra_info["probe_share"] = share
    if enabled:
        low, high = interval_of_median(ratios)
        print(
            f"\n{strategy}: the accounting costs {share:.1%} of a session's CPU (median of "
            f"{len(ratios)} pairs, 95 %: {low - 1:.1%} to {high - 1:.1%}); a trial states "
            f"{stated_share(strategy):.1%}"
        )
        assert share <= GOAL_SHARE
