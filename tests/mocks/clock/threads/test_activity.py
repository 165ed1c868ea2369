"""What the kernel tells of a thread, and what that says of it: asleep is not kept from running."""

import os
import sys
import threading

import pytest
from msgspec.structs import replace
from warpbench.mocks.clock.threads.activity import (
    Did,
    ThreadActivity,
    native_ids_alive,
    parse_activity,
    read_activities,
    what_it_did,
)

MS = 1_000_000
LOOK_NS = 200 * MS
ASLEEP = ThreadActivity("S", cpu_ns=5 * MS, run_delay_ns=MS, switches=40)
STAT = "417 (a (wor) ker) S 1 417 417 0 -1 4194304 120 0 0 0 7 3 0 0 20 0 9 0 100"
STATUS = "Name:\tpython\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n"


def test_the_three_files_of_a_thread_are_read() -> None:
    assert parse_activity(STAT, "8500000 120000 15\n", STATUS) == ThreadActivity(
        "S", cpu_ns=8_500_000, run_delay_ns=120_000, switches=15
    )


def test_without_schedstat_cpu_time_comes_in_ticks_and_the_delay_is_not_known() -> None:
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    assert parse_activity(STAT, None, STATUS) == ThreadActivity(
        "S", cpu_ns=10 * 1_000 * MS // ticks_per_s, run_delay_ns=None, switches=15
    )


@pytest.mark.parametrize(
    ("stat", "schedstat", "status"),
    [("", "1 2 3", STATUS), (STAT, "1 2", STATUS), (STAT, "x y z", STATUS), (STAT, None, "")],
)
def test_what_is_no_statistics_of_a_thread_is_refused(
    stat: str, schedstat: str | None, status: str
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of the three it was does not matter
        parse_activity(stat, schedstat, status)


def test_a_thread_of_which_nothing_moved_slept() -> None:
    assert what_it_did(ASLEEP, ASLEEP, LOOK_NS) is Did.SLEPT


@pytest.mark.parametrize("state", ["R", "D", "T", "t", "Z"])
def test_no_other_state_is_sleep(state: str) -> None:
    other = replace(ASLEEP, state=state)
    assert what_it_did(other, other, LOOK_NS) is Did.RAN
    assert what_it_did(ASLEEP, other, LOOK_NS) is Did.RAN
    assert what_it_did(other, ASLEEP, LOOK_NS) is Did.RAN


def test_a_thread_that_waited_for_a_core_ran_however_little_it_got() -> None:
    starved = replace(ASLEEP, run_delay_ns=MS + 190 * MS, switches=41)
    assert what_it_did(ASLEEP, starved, LOOK_NS) is Did.RAN


def test_a_thread_that_wakes_now_and_then_naps() -> None:
    polled = replace(ASLEEP, cpu_ns=6 * MS, switches=44)
    assert what_it_did(ASLEEP, polled, LOOK_NS) is Did.NAPPED


def test_where_the_wait_for_a_core_is_not_known_whoever_woke_ran() -> None:
    unknown = replace(ASLEEP, run_delay_ns=None)
    assert what_it_did(unknown, unknown, LOOK_NS) is Did.SLEPT
    assert what_it_did(unknown, replace(unknown, switches=41), LOOK_NS) is Did.RAN


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what threads do")
def test_a_thread_behind_a_lock_is_asleep_and_the_one_that_looks_runs() -> None:
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=lock.acquire, daemon=True)
    thread.start()
    assert thread.native_id is not None
    try:
        while (found := read_activities([thread.native_id]))[thread.native_id].state != "S":
            pass
        me = threading.get_native_id()
        assert read_activities([me])[me].state == "R"
        assert {me, thread.native_id} <= (native_ids_alive() or set())
        assert found[thread.native_id].switches >= 1
    finally:
        lock.release()
    thread.join()
    assert read_activities([2**30]) == {}
