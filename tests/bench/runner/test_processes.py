"""Trials in processes of their own, and their end before their time."""

import gc
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.errors import TrialError
from warpbench.mocks.scenario import load_scenario

TIME_LIMIT_S = 60


@pytest.fixture(autouse=True)
def trials_find_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def specification() -> TrialSpec:
    factors = Factors(
        scenarios=(load_scenario("two-sleeps"),),
        strategies=(available_strategies()["gather"],),
        concurrency=(1,),
    )
    (spec,) = cells_of(factors)
    return spec


def last_for_minutes(_spec: TrialSpec) -> NotApplicable:
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("it came to its end")


def die(_spec: TrialSpec) -> NotApplicable:
    os.abort()


def test_a_trial_that_crashes_says_what_of() -> None:
    with pytest.raises(TrialError, match="crashed: killed by SIGABRT"):
        TrialProcesses(TIME_LIMIT_S, die).run(specification())


def test_a_trial_that_hangs_is_killed_at_the_limit() -> None:
    with pytest.raises(TrialError, match=r"hung: no result within 0.5 s \(--time-limit\), killed"):
        TrialProcesses(0.5, last_for_minutes).run(specification())


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.5])
def test_none_outlives_the_kill_however_far_its_start_has_come(after_s: float) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, last_for_minutes)
    ended: list[TrialError] = []

    def run() -> None:
        try:
            processes.run(specification())
        except TrialError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(after_s)
    processes.kill()
    threads.append(threading.Thread(target=run, daemon=True))
    threads[-1].start()
    for thread in threads:
        thread.join(TIME_LIMIT_S / 2)
    assert len(ended) == 3
    assert all(str(error).startswith("crashed: ") for error in ended)


def tell_how_it_began(_spec: TrialSpec) -> NotApplicable:
    return NotApplicable(f"{gc.get_freeze_count() > 0} {'warpbench.agent.factory' in sys.modules}")


def test_a_trial_begins_with_the_labs_imports_done_and_out_of_its_garbage_collections() -> None:
    processes = TrialProcesses(TIME_LIMIT_S, tell_how_it_began)
    processes.start()
    assert processes.run(specification()) == NotApplicable("True True")
