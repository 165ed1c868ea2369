"""A loop that the code under test makes itself is on the clock, however it comes by it."""

import asyncio
import threading
from asyncio import SelectorEventLoop as BoundBefore
from asyncio import new_event_loop as bound_before
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from warpbench.mocks.clock import ClockMode, WallClock, keeping_time
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

from ..worlds import LOOPS, SECOND, World, in_both_skipping_modes

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Main = Callable[[], Coroutine[Any, Any, str]]


async def sleeping() -> str:
    await asyncio.gather(*(asyncio.sleep(5) for _ in range(3)))
    return type(asyncio.get_running_loop()).__name__


def running(loop: asyncio.AbstractEventLoop) -> str:
    """Run ``sleeping`` on a loop, as a framework's sync form does."""
    try:
        return str(loop.run_until_complete(sleeping()))
    finally:
        loop.close()


class OfTheUser(asyncio.SelectorEventLoop):
    """A loop of the user's own, as a test framework has."""

    def __init__(self) -> None:
        super().__init__()
        self.made_with = "its own __init__"

    def call_soon(self, *args: Any, **kwargs: Any) -> Any:
        self.calls = getattr(self, "calls", 0) + 1
        return super().call_soon(*args, **kwargs)


def by_get_event_loop() -> str:
    asyncio.set_event_loop(asyncio.get_event_loop_policy().new_event_loop())
    return running(asyncio.get_event_loop())


def by_the_runner() -> str:
    with asyncio.Runner() as runner:
        return str(runner.run(sleeping()))


CHOSEN: dict[str, Callable[[], str]] = {
    "asyncio.run": lambda: str(asyncio.run(sleeping())),
    "asyncio.Runner": by_the_runner,
    "asyncio.new_event_loop": lambda: running(asyncio.new_event_loop()),
    "new_event_loop, bound before": lambda: running(bound_before()),
    "the policy": lambda: running(asyncio.get_event_loop_policy().new_event_loop()),
    "a policy of its own": lambda: running(asyncio.DefaultEventLoopPolicy().new_event_loop()),
    "get_event_loop": by_get_event_loop,
}
NAMED: dict[str, tuple[Callable[[], str], str]] = {
    "SelectorEventLoop": (lambda: running(asyncio.SelectorEventLoop()), "SkippingEventLoop"),
    "SelectorEventLoop, bound before": (lambda: running(BoundBefore()), "SkippingEventLoop"),
    "uvloop.new_event_loop": (lambda: running(uvloop.new_event_loop()), "SkippingUvloop"),
    "uvloop.Loop": (lambda: running(uvloop.Loop()), "SkippingUvloop"),
    "uvloop.run": (lambda: str(uvloop.run(sleeping())), "SkippingUvloop"),
    "uvloop's policy": (
        lambda: running(uvloop.EventLoopPolicy().new_event_loop()),
        "SkippingUvloop",
    ),
    "a subclass": (lambda: running(OfTheUser()), "OfTheUser"),
}


def in_a_thread(make: Callable[[], str]) -> str:
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(make()))
    thread.start()
    thread.join()
    return told[0]


@in_both_skipping_modes
@pytest.mark.parametrize("where", [lambda make: make(), in_a_thread], ids=["root", "thread"])
@pytest.mark.parametrize("make", NAMED)
def test_one_made_by_name_stays_what_it_is(
    mode: ClockMode, where: Callable[[Callable[[], str]], str], make: str
) -> None:
    world = World(mode)
    run, kind = NAMED[make]
    with world.scope():
        assert where(run) == kind
    assert 4 * SECOND < world.clock.idle_ns() < 6 * SECOND


@in_both_skipping_modes
@pytest.mark.parametrize("where", [lambda make: make(), in_a_thread], ids=["root", "thread"])
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("make", CHOSEN)
def test_one_that_asyncio_chooses_is_of_the_kind_of_the_scope(
    mode: ClockMode, where: Callable[[Callable[[], str]], str], make: str, kind: str
) -> None:
    world = World(mode)
    with keeping_time(world.clock, lambda: LOOPS[kind](world.clock)):
        expected = {"asyncio": SkippingEventLoop, "uvloop": SkippingUvloop}[kind].__name__
        assert where(CHOSEN[make]) == expected
    assert 4 * SECOND < world.clock.idle_ns() < 6 * SECOND


def test_without_a_kind_it_is_asyncios() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        assert asyncio.run(sleeping()) == "SkippingEventLoop"


def test_one_of_the_users_own_class_keeps_what_its_class_does() -> None:
    with World(ClockMode.VIRTUAL).scope():
        loop = OfTheUser()
        loop.run_until_complete(sleeping())
        assert isinstance(loop, OfTheUser)
        assert loop.made_with == "its own __init__"
        assert loop.calls > 3
        loop.close()


def test_the_loop_that_a_policy_kept_for_the_thread_is_hidden_in_the_scope() -> None:
    before = asyncio.SelectorEventLoop()
    asyncio.set_event_loop(before)
    try:
        with World(ClockMode.VIRTUAL).scope():
            inside = asyncio.get_event_loop_policy().get_event_loop()
            assert inside is not before
            assert running(inside) == "SkippingEventLoop"
        assert asyncio.get_event_loop_policy().get_event_loop() is before
    finally:
        asyncio.set_event_loop(None)
        before.close()


def test_a_thread_that_the_clock_does_not_know_makes_its_loops_as_ever() -> None:
    made: list[str] = []
    may_begin, has_ended = threading.Event(), threading.Event()

    def outside() -> None:
        may_begin.wait()
        for new_loop in (asyncio.new_event_loop, asyncio.SelectorEventLoop, uvloop.Loop):
            loop = new_loop()
            made.append(type(loop).__name__)
            loop.close()
        has_ended.set()

    thread = threading.Thread(target=outside, daemon=True)
    thread.start()
    world = World(ClockMode.WARP)
    world.clock.tolerate(thread)
    with world.scope():
        may_begin.set()
        thread.join()
    assert made == ["_UnixSelectorEventLoop", "_UnixSelectorEventLoop", "Loop"]


def test_in_real_time_asyncio_chooses_the_kind_of_the_scope() -> None:
    async def kind() -> str:
        return type(asyncio.get_running_loop()).__module__

    with keeping_time(WallClock(), uvloop.new_event_loop):
        assert asyncio.run(kind()) == "uvloop"
    assert asyncio.run(kind()) == "asyncio.unix_events"


@in_both_skipping_modes
def test_nothing_of_it_is_left_after_the_scope(mode: ClockMode) -> None:
    with World(mode).scope():
        pass
    for new_loop in (asyncio.new_event_loop, asyncio.SelectorEventLoop, bound_before):
        loop = new_loop()
        assert type(loop) is asyncio.SelectorEventLoop
        loop.close()
    loop = uvloop.new_event_loop()
    assert type(loop) is uvloop.Loop
    loop.close()
    assert "__init__" not in vars(uvloop.Loop)


def test_one_whose_class_was_given_another_run_forever_parks_all_the_same() -> None:
    """As nest_asyncio does it."""
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        loop = asyncio.new_event_loop()
        loop.call_later(5, loop.stop)
        asyncio.BaseEventLoop.run_forever(loop)  # type: ignore[arg-type]
        loop.close()
    assert world.clock.now_ns() == 5 * SECOND
