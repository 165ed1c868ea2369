"""What a trial starts ends with it, and what it signals is itself, however it comes to end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.trial_process import TrialProcess
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.turn import Turn
from warpbench.mocks.errors import TrialError
from warpbench.mocks.network import Network
from warpbench.mocks.supervisor import GRACE_S

from .test_processes import specification

TIME_LIMIT_S = 60
SLEEP = ("sleep", "600")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets orphans be adopted, and children follow"
)

Work = Callable[[TrialSpec, Turn], NotApplicable]


@pytest.fixture(autouse=True)
def trials_find_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def in_folder(folder: Path) -> TrialSpec:
    """Return a specification whose target names the folder that its work writes to."""
    spec = specification()
    return replace(spec, cell=replace(spec.cell, target=str(folder)))


def note(spec: TrialSpec, pid: int) -> None:
    (Path(spec.cell.target) / str(pid)).touch()


def noted(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def left_of(pids: list[int]) -> list[int]:
    """Return who is still alive a second later."""
    until_s = time.monotonic() + 1.0
    while any(map(is_alive, pids)) and time.monotonic() < until_s:
        time.sleep(0.01)
    return [pid for pid in pids if is_alive(pid)]


def start_some(spec: TrialSpec) -> None:
    """Start a process in the trial's group, one in a session of its own, and one's orphan."""
    for in_own_session in (False, True):
        note(spec, subprocess.Popen(SLEEP, start_new_session=in_own_session).pid)
    daemon = (
        f"import subprocess as s; print(s.Popen({SLEEP!r}, start_new_session=True, stdout=2).pid)"
    )
    note(spec, int(subprocess.check_output([sys.executable, "-I", "-S", "-c", daemon])))
    note(spec, os.getpid())


def start_and_return(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    start_some(spec)
    return NotApplicable("done")


def start_and_raise(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    start_some(spec)
    raise ValueError("no")


def start_and_crash(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    start_some(spec)
    os.kill(os.getpid(), signal.SIGSEGV)
    return NotApplicable("done")


def start_and_exit(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    start_some(spec)
    os._exit(3)


def start_and_hang(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    start_some(spec)
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("done")


def start_and_kill_the_supervisor(spec: TrialSpec, _turn: Turn) -> NotApplicable:
    note(spec, os.getpid())
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(TIME_LIMIT_S * 10)
    return NotApplicable("done")


@pytest.mark.parametrize(
    ("work", "ending"),
    [
        (start_and_return, "done"),
        (start_and_raise, r"ValueError: no \("),
        (start_and_crash, "crashed: killed by SIGSEGV"),
        (start_and_exit, "crashed: exited with status 3"),
        (start_and_kill_the_supervisor, "crashed: killed by SIGKILL"),
    ],
)
def test_what_a_trial_starts_ends_with_it(work: Work, ending: str, tmp_path: Path) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, work)
    if ending == "done":
        assert processes.run(in_folder(tmp_path)) == NotApplicable(ending)
    else:
        with pytest.raises(TrialError, match=ending):
            processes.run(in_folder(tmp_path))

    pids = noted(tmp_path)
    assert pids
    assert left_of(pids) == []


def noted_under_a_limit(folder: Path, count: int, run: Callable[[float], None]) -> list[int]:
    """Run something that is ended at a limit, which is longer if the machine is too busy for it.

    Args:
        folder: Where it notes its processes.
        count: How many it notes at least.
        run: Runs it, with real seconds after which it is ended.
    """
    limit_s = 0.3
    run(limit_s)
    while len(noted(folder)) < count:
        limit_s *= 2
        run(limit_s)
    return noted(folder)


def test_what_a_trial_that_hangs_has_started_ends_with_it(tmp_path: Path) -> None:
    def run(limit_s: float) -> None:
        with pytest.raises(TrialError, match=f"hung: no result within {limit_s:g} s"):
            TrialProcesses(limit_s, start_and_hang).run(in_folder(tmp_path))

    assert left_of(noted_under_a_limit(tmp_path, 4, run)) == []


def signal_the_group(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    os.killpg(0, signal.SIGTERM)
    time.sleep(TIME_LIMIT_S)
    return NotApplicable("done")


def signal_the_parent(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(TIME_LIMIT_S)
    return NotApplicable("done")


@pytest.mark.parametrize("work", [signal_the_group, signal_the_parent])
def test_a_target_that_signals_its_group_or_its_parent_hits_its_trial_only(work: Work) -> None:
    processes = TrialProcesses(TIME_LIMIT_S, work)
    for _ in range(2):  # the server of trials is still there for the second
        with pytest.raises(TrialError, match="crashed: killed by SIGTERM"):
            processes.run(specification())


def fork_and_both_return(_spec: TrialSpec, _turn: Turn) -> NotApplicable:
    fork = os.fork()
    if fork == 0:
        return NotApplicable("the fork")
    os.waitpid(fork, 0)  # it comes back first
    return NotApplicable("the trial")


def test_a_fork_of_the_target_that_comes_back_is_not_taken_for_the_trial() -> None:
    processes = TrialProcesses(TIME_LIMIT_S, fork_and_both_return)
    assert processes.run(specification()) == NotApplicable("the trial")


def test_the_time_limit_holds_without_the_parent(tmp_path: Path) -> None:
    def run(limit_s: float) -> None:
        process = TrialProcess(
            multiprocessing.get_context("forkserver"),
            start_and_hang,
            in_folder(tmp_path),
            Network.SHARED,
        )
        try:
            process.give_turn(limit_s - GRACE_S)  # so long the parent could end it first
            with pytest.raises(TrialError, match="crashed: killed by SIGKILL"):  # by nobody here
                process.message(TIME_LIMIT_S)
        finally:
            process.kill()
            process.end()

    assert left_of(noted_under_a_limit(tmp_path, 4, run)) == []
