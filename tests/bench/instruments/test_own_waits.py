"""Where sessions wait inside their own code: what is seen of it, and what is not told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from warpbench.bench.instruments.own_waits import OwnWaits, own_wait_of
from warpbench.bench.instruments.probe import Probe
from warpbench.bench.instruments.vitals import VitalsRecorder
from warpbench.bench.results.own_waits import OwnWait, by_place
from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock, keeping_time
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

Session = Callable[[str], Awaitable[str]]


async def for_a_lock(_task: str) -> str:
    lock = asyncio.Lock()
    await lock.acquire()
    async with lock:
        return ""


async def for_a_semaphore(_task: str) -> str:
    async with asyncio.Semaphore(0):
        return ""


async def for_an_event(_task: str) -> str:
    await asyncio.Event().wait()
    return ""


async def for_a_queue(_task: str) -> str:
    return await asyncio.Queue[str]().get()


async def for_a_sleep(_task: str) -> str:
    await asyncio.sleep(60)
    return ""


async def for_its_own_tasks(_task: str) -> str:
    await asyncio.gather(asyncio.sleep(60), asyncio.sleep(60))
    return ""


async def for_a_future(_task: str) -> str:
    return await asyncio.get_running_loop().create_future()


def seen(session: Session, *, watched: bool = True) -> tuple[str, str] | None:
    """Return what is seen of a session that waits."""

    async def main() -> tuple[str, str] | None:
        probe = Probe(create_clock(ClockMode.WALL), {"task": 0})
        started = probe.watch_async(session) if watched else session  # type: ignore[arg-type]
        task = asyncio.ensure_future(started("task"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = own_wait_of(task)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return found

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("session", "line", "awaits"),
    [
        (for_a_lock, 3, "asyncio.Lock.acquire"),
        (for_a_semaphore, 1, "asyncio.Semaphore.acquire"),
        (for_an_event, 1, "asyncio.Event.wait"),
        (for_a_queue, 1, "asyncio.Queue.get"),
        (for_a_sleep, 1, "asyncio.sleep"),
    ],
)
def test_a_wait_is_seen_with_function_line_and_what_is_waited_for(
    session: Session, line: int, awaits: str
) -> None:
    found = seen(session)
    assert found is not None
    code = session.__code__  # type: ignore[attr-defined]
    place = f"test_own_waits.py:{code.co_name}:{code.co_firstlineno + line}"
    assert (found[0].rpartition("/")[2], found[1]) == (place, awaits)


def test_a_wait_for_other_tasks_or_for_a_future_is_not_told() -> None:
    assert seen(for_its_own_tasks) is None
    assert seen(for_a_future) is None


def test_a_task_that_is_no_sessions_is_not_told_of() -> None:
    assert seen(for_a_queue) is not None
    assert seen(for_a_queue, watched=False) is None


def test_looks_stand_for_the_time_since_the_one_before() -> None:
    async def main() -> tuple[OwnWait, ...]:
        probe = Probe(create_clock(ClockMode.WALL), {"0": 0, "1": 1})
        watched = probe.watch_async(for_an_event)
        tasks = [asyncio.ensure_future(watched(name)) for name in ("0", "1")]
        await asyncio.sleep(0)
        waits = OwnWaits(in_order=True)
        waits.look(tasks, 2_000_000_000)
        waits.look(tasks[:1], 1_000_000_000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return waits.noted()

    (wait,) = asyncio.run(main())
    assert wait.seen_s == 5.0


def test_counts_are_summed_up_where_all_of_them_are_known() -> None:
    noted = OwnWait(
        place="a.py:one:1", awaits="", seen_s=1.0, waits=4, sessions=2, lost_s=0.5, in_turn=True
    )
    (both,) = by_place([noted, replace(noted, in_turn=False, blocks_loop=True)])
    assert both == replace(
        noted, seen_s=2.0, waits=8, sessions=4, lost_s=1.0, in_turn=True, blocks_loop=True
    )
    assert (both.waits_per_session, both.mean_s) == (2.0, 0.25)
    (unknown,) = by_place([noted, OwnWait(place="a.py:one:1", awaits="", seen_s=1.0)])
    assert (unknown.waits, unknown.waits_per_session, unknown.mean_s) == (None, None, None)


def test_places_are_summed_up_and_the_longest_comes_first() -> None:
    one = OwnWait(place="a.py:one:1", awaits="asyncio.sleep", seen_s=1.0)
    two = OwnWait(place="a.py:two:9", awaits="asyncio.Lock.acquire", seen_s=1.5)
    assert by_place([one, two, one]) == (
        OwnWait(place="a.py:one:1", awaits="asyncio.sleep", seen_s=2.0),
        two,
    )


@pytest.mark.parametrize("in_order", [True, False])
def test_of_many_tasks_some_are_looked_at(in_order: bool) -> None:
    async def main() -> tuple[OwnWait, ...]:
        names = [str(number) for number in range(100)]
        probe = Probe(create_clock(ClockMode.WALL), {name: int(name) for name in names})
        watched = probe.watch_async(for_an_event)
        tasks = [asyncio.ensure_future(watched(name)) for name in names]
        await asyncio.sleep(0)
        waits = OwnWaits(in_order=in_order)
        waits.look(tasks, 1_000_000_000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return waits.noted()

    (wait,) = asyncio.run(main())
    assert 10 <= wait.seen_s <= 25


@pytest.mark.parametrize("loop", [SkippingEventLoop, SkippingUvloop])
@pytest.mark.parametrize("mode", [ClockMode.VIRTUAL, ClockMode.WARP])
def test_a_wait_is_seen_though_nothing_else_happens(
    loop: Callable[[SkippingClock], asyncio.AbstractEventLoop], mode: ClockMode
) -> None:
    clock = create_clock(mode)
    assert isinstance(clock, SkippingClock)
    with keeping_time(clock):
        recorder, probe = VitalsRecorder(clock), Probe(clock, {"task": 0})
        with (
            asyncio.Runner(loop_factory=lambda: loop(clock)) as runner,
            recorder.watching(runner.get_loop(), probe, lambda: 0),
        ):
            clock.loop_observer = recorder
            runner.run(probe.watch_async(for_a_sleep)("task"))  # type: ignore[arg-type]
    (wait,) = recorder.own_waits()
    assert wait.awaits == "asyncio.sleep"
    assert wait.seen_s == pytest.approx(60, rel=0.01)
