"""A clock mode is a row of ``ClockMode``, its class, and an entry of the registry."""

import threading

import pytest
from warpbench.bench.instruments.recorder import Accounting
from warpbench.bench.trial.machine import available_cores, cores_of
from warpbench.mocks.clock import ClockMode, create_clock, is_skipping, keeping_time
from warpbench.mocks.clock.loops.ordering import VIRTUAL_CORES

EVERY_MODE = pytest.mark.parametrize("mode", ClockMode)


def test_modes_differ_in_what_they_skip_and_charge() -> None:
    assert [(mode.value, mode.skips, mode.charges_cpu) for mode in ClockMode] == [
        ("wall", False, True),
        ("warp", True, True),
        ("virtual", True, False),
    ]


@EVERY_MODE
def test_a_mode_is_read_as_it_was_written(mode: ClockMode) -> None:
    assert ClockMode(str(mode)) is mode


@EVERY_MODE
def test_a_clock_is_one_that_skips_if_its_mode_says_so(mode: ClockMode) -> None:
    clock = create_clock(mode)

    assert clock.mode is mode
    assert is_skipping(clock) is mode.skips


@EVERY_MODE
def test_every_clock_can_be_told_what_the_harness_tells_it(mode: ClockMode) -> None:
    clock = create_clock(mode)
    stop = threading.Event()
    watcher = threading.Thread(target=stop.wait)
    watcher.start()
    clock.tolerate_those_alive()
    clock.tolerate(watcher)
    accounting = Accounting(clock, notes_waits=True, accounts_time=True, on_loop=True)

    with accounting.looking(), keeping_time(clock):
        clock.wait_until_ns(clock.now_ns() + 1_000_000)
    stop.set()
    watcher.join()

    assert clock.failure is None


@EVERY_MODE
def test_where_computing_is_charged_the_cores_are_those_of_the_machine(mode: ClockMode) -> None:
    assert cores_of(mode) == (available_cores() if mode.charges_cpu else VIRTUAL_CORES)
