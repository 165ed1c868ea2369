"""Trials in processes of their own, and their end before their time."""

import contextlib
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.trial_process import TrialProcess
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import run_trial
from warpbench.bench.trial.turn import Turn
from warpbench.mocks.clock import ClockMode, virtual
from warpbench.mocks.clock.real_time import real_sleep
from warpbench.mocks.errors import ClockHangError, TrialError
from warpbench.mocks.network import Network
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


def last_for_minutes(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("it came to its end")


def die(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    os.abort()


def test_a_trial_that_crashes_says_what_of() -> None:
    with pytest.raises(TrialError, match="crashed: killed by SIGABRT"):
        TrialProcesses(TIME_LIMIT_S, die).run(specification())


def test_a_trial_that_hangs_is_killed_at_the_limit() -> None:
    with pytest.raises(TrialError, match=r"hung: no result within 0.1 s \(--time-limit\), killed"):
        TrialProcesses(0.1, last_for_minutes).run(specification())


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.1])
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


def tell_how_it_began(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    return NotApplicable(f"{gc.get_freeze_count() > 0} {'warpbench.agent.factory' in sys.modules}")


def test_a_trial_begins_with_the_labs_imports_done_and_out_of_its_garbage_collections() -> None:
    processes = TrialProcesses(TIME_LIMIT_S, tell_how_it_began)
    processes.start()
    assert processes.run(specification()) == NotApplicable("True True")


class Told:
    """A turn that keeps what a trial told it, on the way to the parent's."""

    def __init__(self, turn: Turn) -> None:
        self.told: list[str] = []
        self._turn = turn

    def begin(self) -> None:
        self.told.append("begin")
        self._turn.begin()

    def end(self) -> None:
        self.told.append("end")
        self._turn.end()


def tell_of_its_turn(spec: TrialSpec, turn: Turn) -> NotApplicable:
    told = Told(turn)
    trial = run_trial(spec, told)
    assert isinstance(trial, TrialResult)
    return NotApplicable(f"{' '.join(told.told)} {len(trial.samples)}")


def test_a_trial_waits_for_its_turn_and_tells_when_its_sessions_have_ended() -> None:
    spec = specification()
    result = TrialProcesses(TIME_LIMIT_S, tell_of_its_turn).run(spec)
    assert result == NotApplicable(f"begin end {spec.cell.session_count}")


class LongAwaited(Told):
    """The turn of a trial that others keep waiting for six times the clock's patience."""

    def begin(self) -> None:
        super().begin()
        real_sleep(0.3)


def measure_after_a_long_wait(spec: TrialSpec, turn: Turn) -> TrialResult | NotApplicable:
    virtual.STALL_AFTER_S, virtual.STALL_LOOK_S = 0.05, 0.01
    return run_trial(spec, LongAwaited(turn))


def test_a_trial_in_virtual_time_waits_for_its_turn_for_as_long_as_that_takes() -> None:
    """What comes between two trials may take long: a target's import, on a busy machine."""
    spec = specification()
    spec = replace(spec, cell=replace(spec.cell, clock=ClockMode.VIRTUAL))
    result = TrialProcesses(TIME_LIMIT_S, measure_after_a_long_wait).run(spec)
    assert isinstance(result, TrialResult)


def numbered(number: int, folder: Path) -> TrialSpec:
    spec = specification()
    return replace(spec, cell=replace(spec.cell, seed=number, target=str(folder)))


def measure_and_see_the_next_prepared(spec: TrialSpec, turn: Turn) -> NotApplicable:
    """Measure, and end only when the next trial of the folder has begun to be prepared."""
    folder, number = Path(spec.cell.target), spec.cell.seed
    (folder / f"prepared-{number}").touch()
    turn.begin()
    was_prepared_early = (folder / f"prepared-{number + 1}").exists()
    (folder / f"measured-{number}").touch()
    turn.end()
    while number == 1 and not (folder / "prepared-2").exists():
        time.sleep(0.001)
    return NotApplicable(f"{number} {was_prepared_early}")


def test_the_next_trial_is_prepared_once_the_sessions_of_one_have_ended(tmp_path: Path) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, measure_and_see_the_next_prepared)
    first, second = numbered(1, tmp_path), numbered(2, tmp_path)
    assert processes.run(first, then=second) == NotApplicable("1 False")
    assert not (tmp_path / "measured-2").exists()  # it has not had its turn yet
    assert processes.run(second) == NotApplicable("2 False")


def test_one_that_was_prepared_and_is_not_wanted_after_all_is_ended(tmp_path: Path) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, measure_and_see_the_next_prepared)
    processes.run(numbered(1, tmp_path), then=numbered(2, tmp_path))
    assert processes.run(numbered(3, tmp_path)) == NotApplicable("3 False")
    assert not (tmp_path / "measured-2").exists()


def fail_after_its_sessions(spec: TrialSpec, turn: Turn) -> NotApplicable:
    turn.begin()
    turn.end()
    if spec.cell.seed == 1:
        raise ClockHangError("in the end")
    return NotApplicable("it came to its end")


def test_a_trial_that_fails_after_its_sessions_does_not_take_the_next_one_with_it(
    tmp_path: Path,
) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, fail_after_its_sessions)
    second = numbered(2, tmp_path)
    with pytest.raises(TrialError, match="in the end"):
        processes.run(numbered(1, tmp_path), then=second)
    assert processes.run(second) == NotApplicable("it came to its end")


def end_at_once(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    return NotApplicable("it came to its end")


def kill_the_server(_spec: TrialSpec, turn: Turn) -> NotApplicable:
    os.kill(os.getppid(), signal.SIGKILL)
    turn.end()
    return NotApplicable("it came to its end")


def test_trials_go_on_after_the_server_that_they_are_forked_from_was_killed() -> None:
    with contextlib.suppress(TrialError):
        TrialProcesses(TIME_LIMIT_S, kill_the_server).run(specification())
    deadline = time.monotonic() + TIME_LIMIT_S
    while True:
        # Until the system has told of its end, a trial may find it dying, and says so.
        try:
            result = TrialProcesses(TIME_LIMIT_S, end_at_once).run(specification())
        except TrialError as error:
            assert "the server that trials are forked from has ended" in str(error)  # noqa: PT017
            assert time.monotonic() < deadline
        else:
            break
    assert result == NotApplicable("it came to its end")


def test_a_folder_of_too_long_a_name_for_sockets_is_an_error_of_one_line(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    finished = subprocess.run(
        [sys.executable, "-m", "warpbench.bench.cli.main", "run", "chat", "--strategy", "sync"],
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT_S,
    )
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert "TMPDIR" in line


def test_who_kills_a_process_while_another_does_closes_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A descriptor that is closed twice may be somebody else's by then."""
    closing, may_close = threading.Event(), threading.Event()
    closed: list[object] = []
    real_close = Connection.close

    def close(connection: "Connection[Any, Any]") -> None:
        closed.append(connection)
        if threading.current_thread() is not threading.main_thread():
            closing.set()
            may_close.wait()
        real_close(connection)

    context = multiprocessing.get_context("forkserver")
    process = TrialProcess(context, last_for_minutes, None, Network.SHARED)
    monkeypatch.setattr(Connection, "close", close)
    killing = threading.Thread(target=process.kill)
    killing.start()
    closing.wait()
    process.kill()
    assert len(closed) == 1
    may_close.set()
    killing.join()
    process.end()
    assert len(closed) == len(set(map(id, closed))) == 2
