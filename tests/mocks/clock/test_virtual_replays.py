"""A program in virtual time does the same in every run, process and hash seed."""

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from .replayed import TASK_STEPS, THREAD_STEPS, drawn_program, log_of
from .worlds import LOOPS, examples, on_each_loop

task_steps = st.lists(st.tuples(st.sampled_from(TASK_STEPS), st.integers(0, 4)), max_size=6)
thread_steps = st.lists(st.tuples(st.sampled_from(THREAD_STEPS), st.integers(0, 4)), max_size=5)


Steps = list[list[tuple[str, int]]]
any_program = given(
    tasks=st.lists(task_steps, min_size=1, max_size=4),
    threads=st.lists(thread_steps, max_size=3),
)


@on_each_loop
@examples(10)
@any_program
def test_any_program_in_one_process(loop: str, tasks: Steps, threads: Steps) -> None:
    """The slow suite tries more."""
    check_replay(loop, tasks, threads)


def check_replay(loop: str, tasks: Steps, threads: Steps) -> None:
    first = log_of(tasks, threads, LOOPS[loop])
    switch_interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads are interrupted where they never were before
    try:
        second = log_of(tasks, threads, LOOPS[loop])
    finally:
        sys.setswitchinterval(switch_interval_s)
    assert first == second


@on_each_loop
def test_time_never_goes_back_and_much_happens(loop: str) -> None:
    log = log_of(*drawn_program(0), LOOPS[loop])
    times_ns = [time_ns for time_ns, _, _ in log]
    assert times_ns == sorted(times_ns)
    assert len(log) > 300
    assert {"TimeoutError", "Empty", "failed", "cleaned"} <= {
        word for _, _, what in log for word in what.split()
    }


def test_over_processes_hash_seeds_and_thread_switches() -> None:
    check_processes(("0", "0.005"), ("777", "0.00001"))


def check_processes(*settings: tuple[str, str]) -> None:
    """Compare processes of these hash seeds and switch intervals in seconds."""
    script = Path(__file__).with_name("replayed.py")
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), switch_interval_s],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed, switch_interval_s in settings
    ]
    outputs = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * len(settings)
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 8
