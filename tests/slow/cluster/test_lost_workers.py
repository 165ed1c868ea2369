"""Workers of Ray that are killed at random moments: the run ends as if none had been."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from warpbench.bench.cluster.measurement import run_cells_on
from warpbench.bench.cluster.ray_cluster import RayCluster
from warpbench.bench.results.records import FindingKind, TrialFigures
from warpbench.bench.results.trial_file import CellKey
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.solo import SoloSessions
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.network import Network
from warpbench.mocks.scenario import load_scenario

from ...built import HEADER, Nobody
from ..test_nothing_outlives_a_command import descendants
from .test_commands_on_ray import command_of

KILLS = 30
LONGEST_S = 60.0
KILLS_A_RUN = 2
"""One more could take the same trial for a third time, which is a failed cell then."""
LATEST_S = 3.0
TRIALS = 10
SEED = 20261201

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    cluster = RayCluster(LONGEST_S, Network.SHARED)
    yield cluster
    cluster.close()


@dataclass
class Kept:
    """The trials of a run, counted as they are kept."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:
        return ()

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        self.counts[key.cell.name, number] += 1


def specs() -> tuple[TrialSpec, ...]:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=(strategy_named("gather"), strategy_named("threads")),
        concurrency=(2, 10),
        session_count=100,
        clock=ClockMode.VIRTUAL,
    )
    return cells_of(factors)


def kill_some(chance: random.Random, killed: list[str]) -> None:
    """Kill workers at random moments."""
    for _ in range(KILLS_A_RUN):
        time.sleep(chance.uniform(0, LATEST_S))
        kill_one(chance, killed)


def kill_one(chance: random.Random, killed: list[str]) -> None:
    """Kill a worker: its actor, or the process of its trials."""
    commands = {pid: command_of(pid) for pid in descendants(os.getpid())}
    mine = [
        pid
        for pid, command in commands.items()
        if "ray::OnNode" in command or "cluster.node_process" in command
    ]
    if mine:
        victim = chance.choice(mine)
        killed.append(commands[victim])
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            killed.pop()


def test_a_worker_killed_at_random_moments_costs_nothing(cluster: RayCluster) -> None:
    cells = specs()
    here = TrialProcesses(LONGEST_S)
    expected = [here.run(spec) for spec in cells]
    chance = random.Random(SEED)
    killed: list[str] = []
    seen = 0
    while len(killed) < KILLS:
        kept = Kept()
        killer = threading.Thread(target=kill_some, args=(chance, killed))
        killer.start()
        found, interrupted = run_cells_on(
            cluster,
            HEADER,
            cells,
            sampling=Sampling(trials=TRIALS),
            solo=SoloSessions(),
            observer=Nobody(),
            save=lambda _: None,
            kept=kept,
        )
        killer.join()

        assert not interrupted
        assert set(kept.counts.values()) == {1}
        assert len(kept.counts) == TRIALS * len(cells)
        for cell, alone in zip(found.cells, expected, strict=True):
            assert isinstance(alone, TrialResult)
            assert cell.trials == TRIALS
            for trial in cell.trial_figures:
                assert trial.latency_ns == tuple(each.latency_ns for each in alone.samples)
        lost = [each for each in found.findings if each.kind is FindingKind.WORKER_LOST]
        seen += sum(int(each.values["lost"]) for each in lost)
    # One that was killed before it had a trial, or after its last, is missed by nobody.
    assert seen > KILLS // 3


def test_what_a_lease_has_started_ends_with_its_actor(cluster: RayCluster) -> None:
    worker = cluster.lease()
    assert isinstance(worker.run(specs()[0], None), TrialResult)
    (actor,) = (pid for pid in descendants(os.getpid()) if "ray::OnNode" in command_of(pid))
    started = descendants(actor)
    assert len(started) >= 2  # the process of the trials, and their server

    os.kill(actor, signal.SIGKILL)

    until_s = time.monotonic() + LONGEST_S
    while any(Path(f"/proc/{pid}/cmdline").exists() and command_of(pid) for pid in started):
        assert time.monotonic() < until_s
        time.sleep(0.05)
    worker.close()
