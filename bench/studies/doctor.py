"""Checks how well a machine measures: timers, cores, other load, and plain noise.

Each check measures one thing for a second or two: real waiting depends on timers, charged computing
on a core of one's own, comparisons on a steady one. ``results.machine_check`` judges what was
found, and a report says what to do about it.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...mocks.child_process import ChildError, run_to_end
from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError
from ...mocks.scenario import load_scenario
from ...mocks.transports.loopback import kept_awake
from ..results.machine_check import (
    Cores,
    Isolation,
    Lateness,
    MachineCheck,
    Noise,
    NoiseNotMeasured,
    OtherLoad,
    Speed,
    Steal,
    Timers,
    Waking,
)
from ..results.trial_result import TrialResult
from ..runner.plan import Factors, cells_of
from ..runner.runner import Trials
from ..statistics.intervals import interval_of
from ..strategies import available_strategies
from ..trial.machine import available_cores

_SLEEPS = 200
_SLEEP_S = 0.001
_LONG_SLEEP_S = 0.005
_ROUNDS = 40
_ROUND_COUNT = 60_000
_WATCHED_S = 1.0
_NULL_TRIALS = 5
_COLUMNS_UP_TO_STEAL = 8
_ISOLATION = "warpbench.mocks.network"
_ISOLATED_WITHIN_S = 30.0
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_STATISTICS = Path("/proc/stat")


def check_timers() -> Timers:
    """Sleep for a millisecond again and again, and see how late that ends."""
    return Timers(_lateness(_SLEEP_S))


def check_waking() -> Waking:
    """See how late idle cores wake, and whether a server of ours may keep them awake."""
    asleep = _lateness(_LONG_SLEEP_S)
    with kept_awake() as is_awake:
        return Waking(asleep, _lateness(_LONG_SLEEP_S) if is_awake else None)


def check_cores() -> Cores:
    """Count the cores that this process may use, and what a container's quota leaves of them."""
    available = available_cores()
    return Cores(available, os.cpu_count() or available, _quota())


def check_load() -> OtherLoad:
    """See how busy others keep the machine: the processors' time less our own, for a second."""
    before, own_s = _processors(), time.process_time()
    time.sleep(_WATCHED_S)
    after, own_s = _processors(), time.process_time() - own_s
    if before is None or after is None:
        return OtherLoad(os.getloadavg()[0], is_average=True)
    return OtherLoad(max(0.0, after.busy_s - before.busy_s - own_s) / _WATCHED_S)


def check_steal() -> Steal:
    """See what share of the time the hypervisor gave to somebody else."""
    before = _processors()
    _compute_for(_WATCHED_S)
    after = _processors()
    if before is None or after is None:
        return Steal(None)
    return Steal((after.stolen_s - before.stolen_s) / _WATCHED_S)


def check_evenness() -> Speed:
    """Compute the same again and again, and see how evenly that goes."""
    spent_s = sorted(_cpu_s(_compute) for _ in range(_ROUNDS))
    return Speed(spent_s[_ROUNDS // 10], spent_s[-_ROUNDS // 10])


def check_noise(trials: Trials) -> Noise | NoiseNotMeasured:
    """Run a cell whose sessions only ask once, again and again: what differs is noise.

    Args:
        trials: Runs a trial, in a process of its own.
    """
    (spec,) = cells_of(
        Factors(
            scenarios=(load_scenario("chat"),),
            strategies=(available_strategies()["gather"],),
            concurrency=(50,),
            session_count=200,
            clock=ClockMode.WARP,
        )
    )
    try:
        results = [trials.run(spec) for _ in range(_NULL_TRIALS)]
    except TrialError as error:
        return NoiseNotMeasured(str(error))
    measured = [result for result in results if isinstance(result, TrialResult)]
    interval = interval_of([result.cpu_s / len(result.samples) for result in measured])
    if interval is None:
        return NoiseNotMeasured()
    return Noise(interval.middle, interval.half_width, len(measured))


def check_isolation() -> Isolation:
    """See whether a process may have a network of its own."""
    try:
        run_to_end((sys.executable, "-P", "-m", _ISOLATION), _ISOLATED_WITHIN_S)
    except ChildError as error:
        return Isolation(str(error))
    return Isolation(None)


def check_machine(trials: Trials) -> tuple[Callable[[], MachineCheck], ...]:
    """Return all checks, to be made one after the other.

    Args:
        trials: As for ``check_noise``.
    """
    return (
        check_cores,
        check_timers,
        check_waking,
        check_load,
        check_steal,
        check_evenness,
        lambda: check_noise(trials),
        check_isolation,
    )


def _lateness(sleep_s: float) -> Lateness:
    """Sleep again and again, and see how late that ends."""
    late_s = []
    for _ in range(_SLEEPS):
        due_s = time.monotonic() + sleep_s
        time.sleep(sleep_s)
        late_s.append(time.monotonic() - due_s)
    late_s.sort()
    return Lateness(median(late_s), late_s[_SLEEPS * 99 // 100 - 1])


@dataclass(frozen=True, slots=True)
class _Processors:
    busy_s: float
    stolen_s: float


def _processors() -> _Processors | None:
    """Read what Linux reports of all processors (proc(5)); ``None`` elsewhere."""
    try:
        line = _STATISTICS.read_text().splitlines()[0]
    except OSError:
        return None
    return _processors_of(line.split()[1:], os.sysconf("SC_CLK_TCK"))


def _processors_of(columns: Sequence[str], ticks_per_s: int) -> _Processors | None:
    if len(columns) < _COLUMNS_UP_TO_STEAL:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = (
        int(column) / ticks_per_s for column in columns[:_COLUMNS_UP_TO_STEAL]
    )
    return _Processors(user + nice + system + irq + softirq, steal)


def _quota() -> float | None:
    """Return how many cores a container may use (cgroup v2); ``None`` without a limit."""
    try:
        quota, period = _QUOTA.read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _compute() -> None:
    total = 0
    for number in range(_ROUND_COUNT):
        total += number


def _compute_for(duration_s: float) -> None:
    until_s = time.monotonic() + duration_s
    while time.monotonic() < until_s:
        _compute()


def _cpu_s(work: Callable[[], None]) -> float:
    before_s = time.thread_time()
    work()
    return time.thread_time() - before_s
