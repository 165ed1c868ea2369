"""The process over time: what is sampled, and how long the event loop was held."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.instruments import watchdog
from warpbench.bench.instruments.probe import Probe
from warpbench.bench.instruments.vitals import VitalsRecorder
from warpbench.bench.instruments.watchdog import Watchdog
from warpbench.bench.results.blocked_loop import BlockedLoop, Cause, loop_blockers
from warpbench.bench.results.timeline import Vitals
from warpbench.mocks.clock import (
    Clock,
    ClockMode,
    SkippingClock,
    WallClock,
    create_clock,
    keeping_time,
)
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

MS = 1_000_000
LOOPS: dict[str, Callable[[Any], asyncio.AbstractEventLoop]] = {
    "asyncio": SkippingEventLoop,
    "uvloop": SkippingUvloop,
}
WALL_LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.Loop}


def followed(
    main: Callable[[], Awaitable[None]], loop: str, mode: ClockMode
) -> tuple[Vitals, list[BlockedLoop]]:
    """Run work on a loop that is followed as a trial's is."""
    clock: Clock = create_clock(mode)
    held: list[BlockedLoop] = []
    watching = Watchdog(clock.now_ns, held.append)
    with watching.looking(clock), keeping_time(clock):
        recorder = VitalsRecorder(clock, watching)
        is_skipping = isinstance(clock, SkippingClock)
        new_loop = LOOPS[loop] if is_skipping else (lambda _clock: WALL_LOOPS[loop]())
        with (
            asyncio.Runner(loop_factory=lambda: new_loop(clock)) as runner,
            recorder.watching(runner.get_loop(), Probe(clock, {}), lambda: 7),
        ):
            if isinstance(clock, SkippingClock):
                clock.loop_observer = recorder
                runner.run(main())  # type: ignore[arg-type]
            else:
                runner.run(recorder.timing(main()))  # type: ignore[arg-type]
    return recorder.vitals(), held


def compute(duration_s: float) -> None:
    until_s = time.thread_time() + duration_s
    while time.thread_time() < until_s:
        pass


async def holds_the_loop() -> None:
    await asyncio.sleep(0.01)
    compute(0.3)
    await asyncio.sleep(0.01)


async def gives_way() -> None:
    for _ in range(100):
        compute(0.003)
        await asyncio.sleep(0)


@pytest.mark.parametrize("mode", [ClockMode.WARP, ClockMode.WALL])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_computing_that_holds_a_loop_is_caught_with_its_stack(loop: str, mode: ClockMode) -> None:
    vitals, held = followed(holds_the_loop, loop, mode)

    (caught,) = loop_blockers(held)
    assert caught.place.endswith(":compute")
    assert caught.cause is Cause.COMPUTING
    assert [place.rpartition(":")[0].rpartition(":")[2] for place in caught.stack] == [
        "holds_the_loop",
        "compute",
    ]
    assert caught.total_s >= 0.2
    assert max(vitals.loop_lag_ns) >= 250 * MS


def test_computing_that_only_seems_long_since_there_was_no_core_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All of the time since the first look is said to have passed without a core.
    monkeypatch.setattr(watchdog, "run_delay_ns", lambda _thread: time.monotonic_ns())
    _, held = followed(holds_the_loop, "asyncio", ClockMode.WALL)
    assert held == []


async def many_at_once() -> None:
    async def small() -> None:
        compute(0.02)

    await asyncio.gather(*(small() for _ in range(10)))


async def waits_in_plain_code() -> None:
    time.sleep(0.4)  # noqa: ASYNC251 - the blunder
    await asyncio.sleep(1)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_in_virtual_time_the_lag_is_what_was_waited(loop: str) -> None:
    vitals, _ = followed(waits_in_plain_code, loop, ClockMode.VIRTUAL)
    assert max(vitals.loop_lag_ns) == 400 * MS


async def collects() -> None:
    gc.collect()


def test_pauses_of_the_garbage_collector_are_added_up() -> None:
    vitals, _ = followed(collects, "asyncio", ClockMode.WARP)
    assert sum(vitals.gc_pause_ns) > 0
    assert vitals.in_flight[-1] == 7
    assert vitals.rss_bytes[-1] > 1_000_000
    assert vitals.threads[-1] >= 1


class HandDriven(WallClock):
    """A clock that goes on when it is told to."""

    at_ns = 0

    def now_ns(self) -> int:
        return self.at_ns


@given(st.lists(st.integers(1, 50), min_size=1, max_size=600))
def test_any_number_of_marks_gives_at_most_so_many_samples_and_loses_no_lag(
    steps_ms: list[int],
) -> None:
    clock = HandDriven()
    recorder = VitalsRecorder(clock)
    with recorder.watching(None, Probe(clock, {}), lambda: 0):
        for step_ms in steps_ms:
            recorder.runs()
            clock.at_ns += step_ms * MS
            recorder.polls()
            recorder.tick(clock.at_ns)
    vitals = recorder.vitals()

    assert 1 <= len(vitals.at_ns) <= 121
    assert list(vitals.at_ns) == sorted(vitals.at_ns)
    assert max(vitals.loop_lag_ns) == max(steps_ms) * MS


def test_places_are_summed_up_the_worst_first() -> None:
    segments = [
        BlockedLoop("a", 0, 10 * MS, stack=("short",)),
        BlockedLoop("b", 0, 25 * MS, cause=Cause.COMPUTING),
        BlockedLoop("a", 20 * MS, 50 * MS, stack=("long",)),
    ]
    first, second = loop_blockers(segments)
    assert (first.place, first.times, first.total_s, first.longest_s) == ("a", 2, 0.04, 0.03)
    assert first.stack == ("long",)
    assert (second.place, second.cause) == ("b", Cause.COMPUTING)
