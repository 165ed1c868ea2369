"""A target, or the test around it, may set the date by time-machine or freezegun."""

import asyncio
import datetime
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any

import freezegun
import pytest
import time_machine
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.real_time import real_time_ns
from warpbench.mocks.errors import ClockHangError, ClockRefusedError

from .worlds import SECOND, World, in_both_skipping_modes, needs_eager_tasks

pytestmark = pytest.mark.usefixtures("what_freezes_leave_is_undone")

UTC = datetime.UTC
LEAP_DAY = datetime.datetime(2024, 2, 29, tzinfo=UTC)
Setting = Callable[[], AbstractContextManager[Any]]

SETTINGS: dict[str, Setting] = {
    "time-machine": lambda: time_machine.travel(LEAP_DAY, tick=False),
    "time-machine, ticking": lambda: time_machine.travel(LEAP_DAY),
    "freezegun": lambda: freezegun.freeze_time(LEAP_DAY, real_asyncio=True),
    "freezegun, ticking": lambda: freezegun.freeze_time(LEAP_DAY, real_asyncio=True, tick=True),
    "freezegun, ticking, and loops with it": lambda: freezegun.freeze_time(LEAP_DAY, tick=True),
}
each_setting = pytest.mark.parametrize("setting", SETTINGS)
WARP, VIRTUAL = ClockMode.WARP, ClockMode.VIRTUAL
WAYS = ((WARP, "asyncio"), (VIRTUAL, "uvloop")), ((VIRTUAL, "asyncio"), (WARP, "uvloop"))
each_setting_on_either_loop = pytest.mark.parametrize(
    ("setting", "mode", "loop"),
    [(setting, *way) for number, setting in enumerate(SETTINGS) for way in WAYS[number % len(WAYS)]]
    + [
        pytest.param("time-machine", VIRTUAL, "eager", marks=needs_eager_tasks),
        pytest.param("freezegun", WARP, "eager", marks=needs_eager_tasks),
    ],
)
"""In one mode on one loop and in the other on the other; the slow suite has all of each."""
ticks = {name for name in SETTINGS if "ticking" in name}


def date() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(datetime.datetime.now(UTC).timestamp(), UTC)


async def dates_around_a_sleep() -> list[datetime.datetime]:
    first = date()
    await asyncio.sleep(3_600)
    return [first, date()]


def expected(setting: str) -> list[datetime.datetime]:
    return [LEAP_DAY, LEAP_DAY + datetime.timedelta(hours=setting in ticks)]


def assert_as_before(mode: ClockMode) -> None:
    """Nothing is left of what was set: of the date, the loop, the functions, or the next scope."""
    assert abs(time.time_ns() - real_time_ns()) < 60 * SECOND
    assert abs(datetime.datetime.now(UTC).timestamp() - real_time_ns() / SECOND) < 60
    assert not time_machine.traveller_stack
    world = World(mode)
    with world.scope():
        start_s, start_ns = time.monotonic(), world.clock.now_ns()
        world.run_here(lambda: asyncio.sleep(10))
        time.sleep(10)
        assert 20 <= time.monotonic() - start_s < 60
        assert 20 * SECOND <= world.clock.now_ns() - start_ns < 60 * SECOND


@each_setting_on_either_loop
def test_inside(setting: str, mode: ClockMode, loop: str) -> None:
    check_inside(setting, mode, loop)


def check_inside(setting: str, mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def main() -> list[datetime.datetime]:
        with SETTINGS[setting]():
            return await dates_around_a_sleep()

    start_ns = world.clock.now_ns()
    dates = world.run(main, loop)
    passed_ns = world.clock.now_ns() - start_ns
    assert 3_600 * SECOND <= passed_ns < 3_660 * SECOND
    assert abs(dates[0] - LEAP_DAY) < datetime.timedelta(minutes=1)
    assert abs(dates[1] - expected(setting)[1]) < datetime.timedelta(minutes=1)
    if mode is ClockMode.VIRTUAL:
        assert passed_ns == 3_600 * SECOND
        assert dates == expected(setting)
    assert_as_before(mode)


@each_setting_on_either_loop
def test_around(setting: str, mode: ClockMode, loop: str) -> None:
    check_around(setting, mode, loop)


def check_around(setting: str, mode: ClockMode, loop: str) -> None:
    world = World(mode)
    start_ns = world.clock.now_ns()
    if setting.startswith("freezegun, ticking"):
        with SETTINGS[setting](), pytest.raises(ClockRefusedError, match="ticks in real time"):
            world.run(dates_around_a_sleep, loop)
        assert_as_before(mode)
        return
    with SETTINGS[setting]():
        dates = world.run(dates_around_a_sleep, loop)
    passed_ns = world.clock.now_ns() - start_ns
    assert 3_600 * SECOND <= passed_ns < 3_660 * SECOND
    assert abs(dates[0] - LEAP_DAY) < datetime.timedelta(minutes=1)
    assert abs(dates[1] - expected(setting)[1]) < datetime.timedelta(minutes=1)
    assert_as_before(mode)


@each_setting_on_either_loop
def test_overlapping_in_sessions(setting: str, mode: ClockMode, loop: str) -> None:
    """The first that ends does not take the time from the others, nor from what comes next."""
    check_overlapping_in_sessions(setting, mode, loop)


def check_overlapping_in_sessions(setting: str, mode: ClockMode, loop: str) -> None:
    async def session(begin_s: float) -> None:
        await asyncio.sleep(begin_s)
        with SETTINGS[setting]():
            await asyncio.sleep(10)

    async def main() -> None:
        # freezegun itself raises where its freezes overlap and modules were imported since.
        await asyncio.gather(session(0), session(1), session(2), return_exceptions=True)

    world = World(mode)
    start_ns = world.clock.now_ns()
    world.run(main, loop)
    assert 12 * SECOND <= world.clock.now_ns() - start_ns < 60 * SECOND
    assert SkippingEventLoop.time.__name__ == "time"
    assert_as_before(mode)


@in_both_skipping_modes
def test_a_travel_that_a_session_leaves_open_ends_with_the_scope(mode: ClockMode) -> None:
    with World(mode).scope():
        time_machine.travel(LEAP_DAY).start()
        time_machine.travel(0, tick=False).start()
        assert time.time() == 0
    assert_as_before(mode)


@in_both_skipping_modes
def test_more_travels_ended_than_begun(mode: ClockMode) -> None:
    with World(mode).scope():
        travel = time_machine.travel(LEAP_DAY)
        travel.start()
        travel.stop()
        travel.stop()
        time.sleep(10)
    assert_as_before(mode)


@in_both_skipping_modes
def test_a_travel_around_is_left_as_it_was(mode: ClockMode) -> None:
    with time_machine.travel(LEAP_DAY, tick=False):
        with World(mode).scope():
            time_machine.travel(0).start()
            time.sleep(10)
        assert date() == LEAP_DAY


@pytest.mark.parametrize(("mode", "loop"), WAYS[0])
def test_a_function_that_a_test_has_replaced_is_its_own_affair(
    mode: ClockMode, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 42.0)
    world = World(mode)
    start_ns = world.clock.now_ns()

    async def main() -> None:
        before_s = monotonic()
        await asyncio.sleep(10)
        assert monotonic() - before_s >= 10
        assert time.monotonic() == 42

    world.run(main, loop)
    assert world.clock.now_ns() - start_ns >= 10 * SECOND


async def _frozen(wait: Callable[[], Awaitable[object]]) -> None:
    with freezegun.freeze_time(LEAP_DAY):
        await wait()


@in_both_skipping_modes
def test_a_plain_freeze_is_told_as_the_hang_that_it_is_on_asyncio(mode: ClockMode) -> None:
    """``await asyncio.sleep(0.1)`` in it never ends in plain asyncio."""
    with pytest.raises(ClockHangError, match="real_asyncio=True"):
        World(mode).run(lambda: _frozen(lambda: asyncio.sleep(0.1)))
    assert_as_before(mode)


def test_a_plain_freeze_does_not_concern_uvloop_whose_time_is_its_own() -> None:
    mode = WARP
    World(mode).run(lambda: _frozen(lambda: asyncio.sleep(0.1)), "uvloop")
    assert_as_before(mode)


@pytest.mark.parametrize(("mode", "loop"), WAYS[1])
def test_an_answer_of_the_model_comes_in_a_plain_freeze(mode: ClockMode, loop: str) -> None:
    """As data from a socket does; a timer beside it, which is due later, is not waited for."""
    world = World(mode)

    async def ask() -> None:
        async with asyncio.timeout(30):
            await world.sleep_ns(10 * SECOND)

    world.run(lambda: _frozen(ask), loop)
    assert_as_before(mode)
