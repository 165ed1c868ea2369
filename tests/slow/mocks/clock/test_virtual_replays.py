"""A program in virtual time does the same in every run: more programs, and more processes."""

from ....mocks.clock.test_virtual_replays import (
    Steps,
    any_program,
    check_processes,
    check_replay,
)
from ....mocks.clock.worlds import examples, on_each_loop


@on_each_loop
@examples(100)
@any_program
def test_any_program_in_one_process(loop: str, tasks: Steps, threads: Steps) -> None:
    check_replay(loop, tasks, threads)


def test_over_processes_hash_seeds_and_thread_switches() -> None:
    check_processes(("0", "0.005"), ("1", "0.00001"), ("777", "0.05"), ("4242", "0.0001"))
