"""Checks how well a machine measures: timers, cores, other load, and plain noise.

Each check measures one thing for a second or two, and says what it means for a reader: real waiting
depends on timers, charged computing on a core of one's own, comparisons on a steady one.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...mocks.clock import ClockMode
from ...mocks.errors import TrialError
from ...mocks.scenario import load_scenario
from ...mocks.transports.loopback import kept_awake
from ..results.trial_result import TrialResult
from ..runner.plan import Factors, cells_of
from ..runner.runner import Trials
from ..statistics.intervals import interval_of
from ..strategies import available_strategies
from ..trial.machine import available_cores
from . import doctor_text as text

_SLEEPS = 200
_SLEEP_S = 0.001
_LONG_SLEEP_S = 0.005
_LATE_S = 0.001
_ROUNDS = 40
_ROUND_COUNT = 60_000
_UNEVEN = 1.25
_BUSY = 0.25
_WATCHED_S = 1.0
_STOLEN = 0.02
_FEWEST_CORES = 2
_NULL_TRIALS = 5
_NOISY = 0.1
_COLUMNS_UP_TO_STEAL = 8
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_STATISTICS = Path("/proc/stat")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        what: What was checked.
        found: What was found, in figures.
        advice: What that means and what to do; empty if all is well.
    """

    what: str
    found: str
    advice: str = ""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to advise."""
        return not self.advice


def check_timers() -> Check:
    """Sleep for a millisecond again and again, and see how late that ends."""
    late = _lateness(_SLEEP_S)
    return Check(
        "timers",
        text.timers(str(late)),
        text.LATE_TIMERS if late.typical_s > _LATE_S else "",
    )


def check_waking() -> Check:
    """See how late idle cores wake, and whether a server of ours may keep them awake."""
    asleep = _lateness(_LONG_SLEEP_S)
    with kept_awake() as is_awake:
        if is_awake:
            awake = _lateness(_LONG_SLEEP_S)
            return Check("waking", text.waking(str(asleep), str(awake)))
    return Check(
        "waking",
        text.waking(str(asleep), None),
        text.LATE_WAKING if asleep.p99_s > _LATE_S else "",
    )


def check_cores() -> Check:
    """Count the cores that this process may use, and what a container's quota leaves of them."""
    cores, quota = available_cores(), _quota()
    found = text.cores(cores, os.cpu_count() or cores, quota)
    usable = cores if quota is None else min(cores, quota)
    return Check(
        "cores",
        found,
        text.FEW_CORES if usable < _FEWEST_CORES else "",
    )


def check_load() -> Check:
    """See how busy others keep the machine: the processors' time less our own, for a second."""
    before, own_s = _processors(), time.process_time()
    time.sleep(_WATCHED_S)
    after, own_s = _processors(), time.process_time() - own_s
    if before is None or after is None:
        busy = os.getloadavg()[0]
        found = text.load_average(busy)
    else:
        busy = max(0.0, after.busy_s - before.busy_s - own_s) / _WATCHED_S
        found = text.other_load(busy)
    return Check(
        "other load",
        found,
        text.OTHER_LOAD if busy > _BUSY else "",
    )


def check_steal() -> Check:
    """See what share of the time the hypervisor gave to somebody else."""
    before = _processors()
    _compute_for(_WATCHED_S)
    after = _processors()
    if before is None or after is None:
        return Check("steal", text.NOT_KNOWN)
    share = (after.stolen_s - before.stolen_s) / _WATCHED_S
    return Check(
        "steal",
        text.steal(share),
        text.STEAL if share > _STOLEN else "",
    )


def check_evenness() -> Check:
    """Compute the same again and again, and see how evenly that goes."""
    spent_s = sorted(_cpu_s(_compute) for _ in range(_ROUNDS))
    low_s, high_s = spent_s[_ROUNDS // 10], spent_s[-_ROUNDS // 10]
    ratio = high_s / low_s
    return Check(
        "steady speed",
        text.evenness(low_s, high_s),
        text.uneven(ratio) if ratio > _UNEVEN else "",
    )


def check_noise(trials: Trials) -> Check:
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
        return Check("noise", text.NOT_MEASURED, text.no_trial(str(error)))
    measured = [result for result in results if isinstance(result, TrialResult)]
    interval = interval_of([result.cpu_s / len(result.samples) for result in measured])
    if interval is None:
        return Check("noise", text.NOT_MEASURED, text.COARSE_CLOCK)
    return Check(
        "noise",
        text.noise(interval.middle, interval.half_width, len(measured)),
        text.NOISE if interval.half_width > _NOISY else "",
    )


def check_machine(trials: Trials) -> tuple[Callable[[], Check], ...]:
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
    )


@dataclass(frozen=True, slots=True)
class _Lateness:
    typical_s: float
    p99_s: float

    def __str__(self) -> str:
        return text.lateness(self.typical_s, self.p99_s)


def _lateness(sleep_s: float) -> _Lateness:
    """Sleep again and again, and see how late that ends."""
    late_s = []
    for _ in range(_SLEEPS):
        due_s = time.monotonic() + sleep_s
        time.sleep(sleep_s)
        late_s.append(time.monotonic() - due_s)
    late_s.sort()
    return _Lateness(median(late_s), late_s[_SLEEPS * 99 // 100 - 1])


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
