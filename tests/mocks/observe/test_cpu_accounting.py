"""CPU time goes to the session whose code took it, from one wait to the next."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.observe.cpu_accounting import CpuAccounting, Turn, attributed, turns


class FakeCpu:
    """The CPU clock of every thread, moved by hand."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def run_in(thread: ThreadPoolExecutor, work: Callable[[], None]) -> None:
    thread.submit(work).result()


class TestOnAnEventLoop:
    def test_a_session_computes_from_its_begin_to_its_first_wait_and_from_its_last_to_its_end(
        self,
    ) -> None:
        found = turns(begins=[(0, 1)], ends=[(90, 1)], waits=[(10, 70, 1)])

        assert list(found) == [Turn(1, 0, 10), Turn(1, 70, 90)]

    def test_where_all_sessions_wait_nobody_computes(self) -> None:
        found = turns(begins=[(0, 1), (5, 2)], ends=[], waits=[(5, 80, 1), (9, 60, 2)])

        assert list(found) == [Turn(1, 0, 5), Turn(2, 5, 9), Turn(2, 60, 80)]

    def test_one_session_gives_way_to_another_where_that_ones_code_runs_on(self) -> None:
        found = turns(begins=[(0, 1), (30, 2)], ends=[(50, 2)], waits=[])

        assert list(found) == [Turn(1, 0, 30), Turn(2, 30, 50)]

    def test_a_wait_that_nothing_told_to_run_before_it_ends_a_turn_of_its_session(self) -> None:
        """As of a tool that runs in a task of its own, beside others of the same answer."""
        found = turns(begins=[(0, 1)], ends=[], waits=[(10, 70, 1), (15, 80, 1)])

        assert list(found) == [Turn(1, 0, 10), Turn(1, 10, 15), Turn(1, 70, 80)]

    def test_turns_count_in_full_where_the_thread_had_a_core_all_the_time(self) -> None:
        found = attributed([Turn(1, 0, 10), Turn(2, 30, 50)], readings=[(0, 500), (50, 545)])

        assert found == {1: 10, 2: 20}

    def test_turns_between_two_readings_are_shortened_where_it_had_none(self) -> None:
        slow = [Turn(1, 0, 10), Turn(2, 30, 60)]

        found = attributed([*slow, Turn(1, 60, 100)], readings=[(0, 500), (60, 520), (100, 560)])

        assert found == {1: 5 + 40, 2: 15}

    def test_what_comes_after_the_last_reading_counts_in_full(self) -> None:
        assert attributed([Turn(1, 20, 90)], readings=[(0, 0), (20, 5)]) == {1: 70}

    @given(
        lengths=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100), st.integers(0, 100))),
        shares=st.lists(st.floats(0, 1), max_size=20),
    )
    def test_no_turn_is_booked_longer_than_it_was_nor_a_window_longer_than_its_cpu(
        self, lengths: list[tuple[int, int, int]], shares: list[float]
    ) -> None:
        at_ns, runs = 0, []
        for session, pause_ns, length_ns in lengths:
            runs.append(Turn(session, at_ns + pause_ns, at_ns + pause_ns + length_ns))
            at_ns += pause_ns + length_ns
        readings, cpu_ns = [(0, 0)], 0
        for run, share in zip(runs, shares, strict=False):
            cpu_ns += int(share * (run.until_ns - readings[-1][0]))
            readings.append((run.until_ns, cpu_ns))

        found = attributed(runs, readings)

        longest: Counter[int] = Counter()
        for run in runs:
            longest[run.session] += run.until_ns - run.from_ns
        assert all(found[session] <= longest[session] for session in longest)
        after_ns = sum(run.until_ns - run.from_ns for run in runs[len(readings) - 1 :])
        assert found.total() <= cpu_ns + after_ns

    def test_the_cpu_clock_is_read_once_a_millisecond_and_no_oftener(self) -> None:
        reads: list[int] = []

        def cpu_ns() -> int:
            reads.append(1)
            return 10**9 * len(reads)

        accounting = CpuAccounting(cpu_ns)
        accounting.begins(1, 0, on_loop=True)
        for at_ns in range(10_000, 2_500_000, 10_000):
            accounting.waited(1, at_ns - 5_000, at_ns)
        accounting.ends(1, 2_500_000)

        assert len(reads) == 3
        assert accounting.cpu_ns_by_session() == {1: 249 * 5_000 + 10_000}


class TestOnThreads:
    def test_a_thread_that_one_session_has_for_itself_is_booked_from_begin_to_end(self) -> None:
        cpu = FakeCpu()
        accounting = CpuAccounting(cpu)
        cpu.ns = 100

        accounting.begins(7, 0, on_loop=False)
        cpu.ns = 130
        accounting.waited(7, 30, 30)
        cpu.ns = 150
        accounting.ends(7, 50)

        assert accounting.cpu_ns_by_session() == {7: 50}

    def test_what_a_tool_is_to_compute_is_not_its_sessions_own(self) -> None:
        cpu = FakeCpu()
        accounting = CpuAccounting(cpu)

        accounting.begins(7, 0, on_loop=False)
        cpu.ns = 10
        accounting.computes(1_000)
        cpu.ns = 1_010
        accounting.waited(7, 10, 1_010)
        cpu.ns = 1_015
        accounting.ends(7, 1_015)

        assert accounting.cpu_ns_by_session() == {7: 15}

    def test_a_thread_of_a_pool_works_for_the_session_whose_wait_ended_there_last(self) -> None:
        cpu = FakeCpu()
        accounting = CpuAccounting(cpu)
        with ThreadPoolExecutor(1) as pool:
            run_in(pool, lambda: accounting.waited(1, 0, 0))
            cpu.ns = 40
            run_in(pool, lambda: accounting.waited(2, 0, 0))
            cpu.ns = 45
            run_in(pool, lambda: accounting.waited(1, 0, 0))

        assert accounting.cpu_ns_by_session() == {1: 40, 2: 5}

    def test_a_thread_that_a_session_had_for_itself_is_not_booked_to_those_before_it(self) -> None:
        cpu = FakeCpu()
        accounting = CpuAccounting(cpu)

        accounting.waited(1, 0, 0)
        accounting.begins(2, 0, on_loop=False)
        cpu.ns = 30
        accounting.ends(2, 30)
        accounting.waited(3, 0, 0)

        assert accounting.cpu_ns_by_session() == {2: 30}

    def test_what_a_thread_did_before_its_first_wait_is_nobodys(self) -> None:
        cpu = FakeCpu()
        cpu.ns = 1_000
        accounting = CpuAccounting(cpu)

        accounting.waited(1, 0, 0)

        assert accounting.cpu_ns_by_session() == {}

    def test_each_thread_is_booked_by_itself(self) -> None:
        cpu_of: dict[str, int] = {"one": 0, "other": 0}
        accounting = CpuAccounting(lambda: cpu_of[threading.current_thread().name])
        with (
            ThreadPoolExecutor(1, initializer=named("one")) as one,
            ThreadPoolExecutor(1, initializer=named("other")) as other,
        ):
            run_in(one, lambda: accounting.begins(1, 0, on_loop=False))
            run_in(other, lambda: accounting.begins(2, 0, on_loop=False))
            cpu_of.update(one=30, other=4)
            run_in(other, lambda: accounting.ends(2, 0))
            run_in(one, lambda: accounting.ends(1, 0))

        assert accounting.cpu_ns_by_session() == {1: 30, 2: 4}


def named(name: str) -> Callable[[], None]:
    def rename() -> None:
        threading.current_thread().name = name

    return rename
