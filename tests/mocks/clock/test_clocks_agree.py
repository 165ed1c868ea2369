"""All clocks of the process agree in a scope, whoever bound which name when."""

import asyncio
import datetime
import functools
import gc
import importlib.util
import logging
import sched
import subprocess
import sys
import threading
import time
import timeit
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from time import (
    clock_gettime,
    clock_gettime_ns,
    ctime,
    gmtime,
    localtime,
    monotonic,
    monotonic_ns,
    perf_counter,
    perf_counter_ns,
    sleep,
    strftime,
    time_ns,
)
from time import time as now
from types import ModuleType

import backoff
import cachetools
import pytest
import tenacity
from warpbench.mocks.clock import ClockMode, seconds
from warpbench.mocks.clock.real_time import real_monotonic, real_sleep, real_time_ns

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop

UTC = datetime.UTC
utc_now = datetime.datetime.now  # a bound method, made before any scope
ROUNDING_S = 1e-6  # of floats that count from 1970, and of microseconds

INTERVALS: dict[str, Callable[[], float]] = {
    "monotonic": monotonic,
    "monotonic_ns": lambda: seconds(monotonic_ns()),
    "perf_counter": perf_counter,
    "perf_counter_ns": lambda: seconds(perf_counter_ns()),
    "clock_gettime, monotonic": lambda: clock_gettime(time.CLOCK_MONOTONIC),
    "clock_gettime_ns, monotonic": lambda: seconds(clock_gettime_ns(time.CLOCK_MONOTONIC)),
    "looked up: monotonic": lambda: time.monotonic() + 0,
    "looked up: perf_counter": lambda: time.perf_counter() + 0,
    "timeit.default_timer": timeit.default_timer,
    "default of a parameter": lambda timer=monotonic: timer(),
    "functools.partial": functools.partial(monotonic),
}
DATES: dict[str, Callable[[], float]] = {
    "time": now,
    "time_ns": lambda: seconds(time_ns()),
    "looked up: time": lambda: time.time() + 0,
    "clock_gettime, realtime": lambda: clock_gettime(time.CLOCK_REALTIME),
    "clock_gettime_ns, realtime": lambda: seconds(clock_gettime_ns(time.CLOCK_REALTIME)),
    "datetime.now": lambda: datetime.datetime.now().timestamp(),  # noqa: DTZ005
    "datetime.now, bound": lambda: utc_now(UTC).timestamp(),
    "datetime.now(UTC)": lambda: datetime.datetime.now(UTC).timestamp(),
    "datetime.today": lambda: datetime.datetime.today().timestamp(),  # noqa: DTZ002
    "logging": lambda: logging.makeLogRecord({}).created,
    "uuid1": lambda: (uuid.uuid1().time - 0x01B21DD213814000) / 1e7,
}
WHOLE_SECONDS: dict[str, Callable[[], float]] = {
    "gmtime": lambda: time.mktime(gmtime()) - time.mktime(time.gmtime(0)),
    "localtime": lambda: time.mktime(localtime()),
    "strftime": lambda: float(strftime("%s")),
    "ctime": lambda: time.mktime(time.strptime(ctime())),
    "asctime": lambda: time.mktime(time.strptime(time.asctime())),
    "email": lambda: parsedate_to_datetime(formatdate()).timestamp(),
}
ALL = {**INTERVALS, **DATES, **WHOLE_SECONDS}


def slept_by(read: Callable[[], float], sleep_s: float) -> float:
    before = read()
    time.sleep(sleep_s)
    return read() - before


@in_both_skipping_modes
@pytest.mark.parametrize("name", ALL)
def test_a_reading_shows_what_was_slept(mode: ClockMode, name: str) -> None:
    with World(mode).scope():
        slept_s = slept_by(ALL[name], 100_000)
    slack_s = 1 if name in WHOLE_SECONDS else ROUNDING_S
    assert slept_s >= 100_000 - slack_s
    if mode is ClockMode.VIRTUAL:
        assert slept_s == pytest.approx(100_000, abs=ROUNDING_S)


@on_each_loop
@in_both_skipping_modes
def test_all_agree_with_the_loop(mode: ClockMode, loop: str) -> None:
    async def main() -> None:
        running = asyncio.get_running_loop()
        before_s = running.time()
        before = {name: read() for name, read in ALL.items()}
        await asyncio.sleep(86_400)
        passed = {name: read() - before[name] for name, read in ALL.items()}
        passed_s = running.time() - before_s
        assert passed == pytest.approx(dict.fromkeys(ALL, passed_s), abs=1.5)
        if mode is ClockMode.VIRTUAL:
            assert passed == pytest.approx(dict.fromkeys(ALL, 86_400), abs=ROUNDING_S)

    World(mode).run(main, loop)


def test_the_date_begins_at_a_fixed_moment_in_virtual_time() -> None:
    with World(ClockMode.VIRTUAL).scope():
        dates = {name: read() for name, read in DATES.items()}
        today = datetime.datetime.now(UTC).date()
        start = datetime.datetime.now(UTC)
        later = (time.sleep(1.25), datetime.datetime.now(UTC))[1]
    assert dates == pytest.approx(dict.fromkeys(DATES, 1_767_225_600.0), abs=ROUNDING_S)
    assert today == datetime.date(2026, 1, 1)
    assert start == datetime.datetime(2026, 1, 1, tzinfo=UTC)
    assert later - start == datetime.timedelta(seconds=1.25)


def test_date_today_follows() -> None:
    with World(ClockMode.VIRTUAL).scope():
        first = datetime.date.today()  # noqa: DTZ011
        time.sleep(3 * 86_400)
        assert datetime.date.today() - first == datetime.timedelta(days=3)  # noqa: DTZ011


def test_the_date_begins_at_the_real_one_in_warp() -> None:
    before_s = seconds(real_time_ns())
    with World(ClockMode.WARP).scope():
        dates = {name: read() for name, read in DATES.items()}
    after_s = seconds(real_time_ns())
    assert all(before_s - ROUNDING_S <= date <= after_s + ROUNDING_S for date in dates.values())


@in_both_skipping_modes
def test_all_are_real_before_and_after(mode: ClockMode) -> None:
    before = {name: read() for name, read in ALL.items()}
    with World(mode).scope():
        time.sleep(1_000_000)
    after = {name: read() for name, read in ALL.items()}
    assert after == pytest.approx(before, abs=60)
    assert time.monotonic is monotonic
    assert time.sleep is sleep
    assert abs(now() - seconds(real_time_ns())) < 60


@in_both_skipping_modes
def test_what_was_bound_in_one_scope_is_right_after_it_and_in_the_next(
    mode: ClockMode, tmp_path: Path
) -> None:
    (tmp_path / "late.py").write_text("from time import monotonic, time, sleep\n")
    with World(mode).scope():
        late = _imported(tmp_path / "late.py")
        assert slept_by(late.monotonic, 1_000) >= 1_000
    assert late.monotonic is monotonic
    assert abs(late.monotonic() - real_monotonic()) < 60
    with World(mode).scope():
        start_s = late.monotonic()
        late.sleep(1_000)
        assert monotonic() - start_s >= 1_000


@in_both_skipping_modes
def test_a_thread_that_does_not_take_part_reads_real_time(mode: ClockMode) -> None:
    """It sleeps for real: by the clock's time its own deadlines would come too soon, or never."""
    asked, answered, end = threading.Event(), threading.Event(), threading.Event()
    seen: list[tuple[float, float, float]] = []

    def watch() -> None:
        while not end.is_set():
            if asked.is_set():
                asked.clear()
                ahead_s = max(
                    read() - real_monotonic() for read in (monotonic, lambda: time.monotonic() + 0)
                )
                seen.append((ahead_s, now(), seconds(real_time_ns())))
                answered.set()
            real_sleep(0.001)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    world = World(mode)
    world.clock.tolerate(watcher)
    try:
        with world.scope():
            time.sleep(1_000_000)
            asked.set()
            while not answered.is_set():
                real_sleep(0.001)
    finally:
        end.set()
        watcher.join()
    ((ahead_s, date_s, real_date_s),) = seen
    assert abs(ahead_s) < 60
    assert abs(date_s - real_date_s) < 60


@in_both_skipping_modes
def test_a_worker_thread_reads_the_clock(mode: ClockMode) -> None:
    with World(mode).scope(), ThreadPoolExecutor(1) as pool:
        for name, read in ALL.items():
            assert pool.submit(slept_by, read, 1_000).result() >= 999, name


@in_both_skipping_modes
def test_computing_is_real(mode: ClockMode) -> None:
    with World(mode).scope():
        for read in (
            time.process_time,
            time.thread_time,
            lambda: clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID),
        ):
            assert slept_by(read, 1_000) < 60


@in_both_skipping_modes
def test_a_scheduler_whose_functions_are_defaults(mode: ClockMode) -> None:
    world, ran_ns = World(mode), []
    with world.scope():
        start_ns = world.clock.now_ns()
        plan = sched.scheduler()
        plan.enter(30, 1, lambda: ran_ns.append(world.clock.now_ns() - start_ns))
        plan.run()
    assert ran_ns[0] >= 30 * SECOND
    assert mode is ClockMode.WARP or ran_ns == [30 * SECOND]


@in_both_skipping_modes
def test_a_subprocess_takes_real_time_and_its_time_limit_is_real(mode: ClockMode) -> None:
    command = [sys.executable, "-S", "-c", "import time; time.sleep(0.3)"]
    with World(mode).scope():
        process = subprocess.Popen(command)
        assert process.wait(timeout=60) == 0


module_cache = cachetools.TTLCache[str, int](10, ttl=10)


@on_each_loop
@in_both_skipping_modes
def test_a_cache_made_at_import_forgets_in_time(mode: ClockMode, loop: str) -> None:
    async def main() -> int:
        loads = 0
        for _ in range(3):
            if "key" not in module_cache:
                loads += 1
                module_cache["key"] = 1
            await asyncio.sleep(6)
        return loads

    module_cache.clear()
    assert World(mode).run(main, loop) == 2


@on_each_loop
def test_a_retry_by_date_gives_up_as_in_real_life(loop: str) -> None:
    """``backoff`` measures ``max_time`` by ``datetime.now``; by real dates it never gives up."""
    attempts: list[float] = []

    @backoff.on_exception(backoff.constant, ConnectionError, max_time=20, interval=3, jitter=None)
    async def ask() -> None:
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) <= 10:
            raise ConnectionError

    async def main() -> None:
        with pytest.raises(ConnectionError):
            await ask()

    World(ClockMode.VIRTUAL).run(main, loop)
    # At 18 s there are 2 s left, which is all that is still waited.
    assert attempts == pytest.approx([0, 3, 6, 9, 12, 15, 18, 20], abs=ROUNDING_S)


def test_a_retry_whose_sleep_was_bound_at_import() -> None:
    attempts: list[float] = []

    @tenacity.retry(stop=tenacity.stop_after_delay(10), wait=tenacity.wait_fixed(3), sleep=sleep)
    def ask() -> None:
        attempts.append(monotonic())
        raise ConnectionError

    with World(ClockMode.VIRTUAL).scope(), pytest.raises(tenacity.RetryError):
        ask()
    assert attempts == [0, 3, 6, 9, 12]


@in_both_skipping_modes
def test_a_sleep_bound_at_import_waits_on_the_clock(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        sleep(2)
        assert world.clock.now_ns() - start_ns >= 2 * SECOND
        assert mode is ClockMode.WARP or world.clock.now_ns() == 2 * SECOND


@in_both_skipping_modes
def test_an_error_of_a_redirected_call_passes_as_ever(mode: ClockMode) -> None:
    with World(mode).scope():
        for _ in range(3):
            with pytest.raises(ValueError, match="non-negative"):
                sleep(-1)
            with pytest.raises(TypeError):
                monotonic(1)  # type: ignore[call-arg]
            gc.collect()


@in_both_skipping_modes
def test_a_function_looks_as_ever(mode: ClockMode) -> None:
    looks = [(repr(f), f.__name__, f.__qualname__, f.__module__) for f in (monotonic, sleep, ctime)]
    with World(mode).scope():
        assert looks == [
            (repr(f), f.__name__, f.__qualname__, f.__module__) for f in (monotonic, sleep, ctime)
        ]


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
