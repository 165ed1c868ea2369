"""What one session does to its event loop is the outcome of those in flight, and of no other."""

import asyncio
import sys
import threading
from typing import Any

import pytest
from warpbench.bench.results.samples import Outcome
from warpbench.bench.strategies import Strategy

from .test_strategies import LEAVES_PLACES_FREE
from .test_what_sessions_raise import (
    ASYNC_CELLS,
    CELLS,
    RAISING,
    SECOND_NS,
    SESSIONS,
    Step,
    expected,
    samples_of,
)

SUCCEEDED = (Outcome.SUCCEEDED, None)
CANCELLED = (Outcome.CANCELLED, "CancelledError")
EVERY_ASYNC_CELL = pytest.mark.parametrize(("strategy", "new_loop"), ASYNC_CELLS)
CELLS_THAT_FILL_PLACES = [
    cell
    for cell in ASYNC_CELLS
    for strategy in cell.values[:1]
    if not strategy.one_at_a_time and strategy.name not in LEAVES_PLACES_FREE  # type: ignore[union-attr]
]
EVERY_CELL_THAT_FILLS_PLACES = pytest.mark.parametrize(
    ("strategy", "new_loop"), CELLS_THAT_FILL_PLACES
)
EVERY_CELL = pytest.mark.parametrize(("strategy", "new_loop"), CELLS)


def one_after_another(number: int) -> int:
    """Return a wait of its own for each session, so that no two end at the same time."""
    return SECOND_NS + number * SECOND_NS // 10


def cancel_all_tasks() -> None:
    for task in asyncio.all_tasks():
        task.cancel()


async def cancel_all_and_wait() -> None:
    cancel_all_tasks()
    await asyncio.sleep(0)


@EVERY_CELL_THAT_FILLS_PLACES
@pytest.mark.parametrize("owns_process", [True, False])
@pytest.mark.parametrize("step", [cancel_all_and_wait, cancel_all_tasks])
def test_who_cancels_all_tasks_cancels_the_sessions_in_flight(
    step: Step, owns_process: bool, strategy: Strategy, new_loop: Any
) -> None:
    """The sessions 1, 2 and 3 are in flight at 1.1 s; 4 and 5 begin then, and 4 does it again."""
    found = samples_of(
        strategy, new_loop, step, owns_process=owns_process, wait_ns=one_after_another
    )
    assert found == {0: SUCCEEDED, **dict.fromkeys(range(1, 6), CANCELLED)}


@EVERY_CELL_THAT_FILLS_PLACES
def test_those_that_have_not_begun_go_on_after_all_tasks_were_cancelled(
    strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(
        strategy,
        new_loop,
        cancel_all_and_wait,
        raising=frozenset({1}),
        wait_ns=one_after_another,
    )
    cancelled = {1, 2, 3}
    assert found == {
        number: CANCELLED if number in cancelled else SUCCEEDED for number in range(SESSIONS)
    }


@EVERY_ASYNC_CELL
def test_a_session_that_has_not_arrived_is_not_cancelled_with_the_others(
    strategy: Strategy, new_loop: Any
) -> None:
    """In an open loop; sessions 0 and 1 are in flight at 1 s, the others arrive at 2 s and on."""
    found = samples_of(
        strategy,
        new_loop,
        cancel_all_and_wait,
        raising=frozenset({0}),
        arrivals_ns={number: number // 2 * 2 * SECOND_NS for number in range(SESSIONS)},
        wait_ns=one_after_another,
    )
    assert found == {number: CANCELLED if number < 2 else SUCCEEDED for number in range(SESSIONS)}


@EVERY_ASYNC_CELL
def test_one_that_ignores_its_cancellation_ends_before_others_take_its_place(
    strategy: Strategy, new_loop: Any
) -> None:
    in_flight, most = 0, 0

    async def session_step() -> None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        cancel_all_tasks()
        for _ in range(3):
            try:
                await asyncio.sleep(2)
            except asyncio.CancelledError:
                continue
        in_flight -= 1

    found = samples_of(strategy, new_loop, session_step, raising=frozenset(range(SESSIONS)))
    assert most <= 3
    assert len(found) == SESSIONS


async def end_with_a_pending_cancellation() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def cancel_itself_and_go_on() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        return


@EVERY_ASYNC_CELL
def test_a_cancellation_without_an_await_after_it_is_of_the_session_that_asked_for_it(
    strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, end_with_a_pending_cancellation)
    assert found == expected(*CANCELLED)


@EVERY_ASYNC_CELL
def test_a_session_that_catches_its_own_cancellation_has_succeeded(
    strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, cancel_itself_and_go_on)
    assert found == dict.fromkeys(range(SESSIONS), SUCCEEDED)


def stop_the_loop() -> None:
    asyncio.get_running_loop().stop()


async def stop_the_loop_twice() -> None:
    stop_the_loop()
    await asyncio.sleep(0.5)
    stop_the_loop()
    await asyncio.sleep(0.5)


@EVERY_ASYNC_CELL
@pytest.mark.parametrize("step", [stop_the_loop, stop_the_loop_twice])
@pytest.mark.parametrize("owns_process", [True, False])
def test_who_stops_the_loop_stops_nobody(
    step: Step, owns_process: bool, strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, step, owns_process=owns_process)
    assert found == dict.fromkeys(range(SESSIONS), SUCCEEDED)


@EVERY_ASYNC_CELL
def test_who_closes_the_loop_has_failed(strategy: Strategy, new_loop: Any) -> None:
    found = samples_of(strategy, new_loop, lambda: asyncio.get_running_loop().close())
    errors = {error for outcome, error in found.values() if outcome is Outcome.FAILED}
    assert len(errors) == 1
    assert (errors.pop() or "").startswith("RuntimeError: ")
    assert [number for number in range(SESSIONS) if found[number] != SUCCEEDED] == sorted(RAISING)


def exit_in_a_thread() -> None:
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()


@EVERY_CELL
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_ends_a_thread_ends_no_session(strategy: Strategy, new_loop: Any) -> None:
    found = samples_of(strategy, new_loop, exit_in_a_thread)
    assert found == dict.fromkeys(range(SESSIONS), SUCCEEDED)
