"""Checks what a machine's figures can be worth: timers, cores, other load, and plain noise.

Each check measures one thing for a second or two, and says what it means for a reader: real waiting
leans on timers, charged computing on a core that is one's own, comparisons on a steady one.
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
    """What one check found.

    Attributes:
        what: What was looked at.
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
        f"a sleep ends {late}",
        "figures in wall are worth no more than that: use warp, or a machine with finer timers"
        if late.typical_s > _LATE_S
        else "",
    )


def check_waking() -> Check:
    """See how late idle cores wake, and whether a server of ours may keep them awake."""
    asleep = _lateness(_LONG_SLEEP_S)
    with kept_awake() as is_awake:
        if is_awake:
            awake = _lateness(_LONG_SLEEP_S)
            return Check(
                "waking", f"idle cores wake {asleep}; kept awake for loopback, they wake {awake}"
            )
    return Check(
        "waking",
        f"idle cores wake {asleep}, and cannot be kept awake",
        "over loopback answers come as late: let this user write to /dev/cpu_dma_latency (root "
        "may), or trust percentiles over sockets no further"
        if asleep.p99_s > _LATE_S
        else "",
    )


def check_cores() -> Check:
    """Count the cores that this process may use, and what a container's quota leaves of them."""
    cores, quota = available_cores(), _quota()
    found = f"{cores} of {os.cpu_count() or cores} may be used"
    if quota is not None:
        found += f", a quota of {quota:.2g}"
    usable = cores if quota is None else min(cores, quota)
    return Check(
        "cores",
        found,
        "a server, a trial and its watchdog share one core: compare loopback with care"
        if usable < _FEWEST_CORES
        else "",
    )


def check_load() -> Check:
    """See how busy others keep the machine: the processors' time less our own, for a second."""
    before, own_s = _processors(), time.process_time()
    time.sleep(_WATCHED_S)
    after, own_s = _processors(), time.process_time() - own_s
    if before is None or after is None:
        busy = os.getloadavg()[0]
        found = f"a load of {busy:.2f} over the last minute"
    else:
        busy = max(0.0, after.busy_s - before.busy_s - own_s) / _WATCHED_S
        found = f"others keep {busy:.2f} cores busy"
    return Check(
        "other load",
        found,
        "what else runs takes cores and caches from the trials: stop it, or add trials (--budget)"
        if busy > _BUSY
        else "",
    )


def check_steal() -> Check:
    """See what share of the time the hypervisor gave to somebody else."""
    before = _processors()
    _compute_for(_WATCHED_S)
    after = _processors()
    if before is None or after is None:
        return Check("steal", "not known here")
    share = (after.stolen_s - before.stolen_s) / _WATCHED_S
    return Check(
        "steal",
        f"{share:.1%} of a core's time was taken away while it computed",
        "another guest has this machine's cores: CPU seconds are longer than they look"
        if share > _STOLEN
        else "",
    )


def check_evenness() -> Check:
    """Compute the same again and again, and see how evenly that goes."""
    spent_s = sorted(_cpu_s(_compute) for _ in range(_ROUNDS))
    low_s, high_s = spent_s[_ROUNDS // 10], spent_s[-_ROUNDS // 10]
    ratio = high_s / low_s
    return Check(
        "steady speed",
        f"the same work takes {low_s * 1e3:.2f} to {high_s * 1e3:.2f} ms of CPU (1st to 9th tenth)",
        f"the core's speed varies {ratio:.2f} times: trust ratios of one run, not figures of two"
        if ratio > _UNEVEN
        else "",
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
        return Check("noise", "not measured", f"no trial can be run here: {error}")
    measured = [result for result in results if isinstance(result, TrialResult)]
    interval = interval_of([result.cpu_s / len(result.samples) for result in measured])
    if interval is None:
        return Check("noise", "not measured", "a trial took no CPU time: its clock is too coarse")
    return Check(
        "noise",
        f"CPU of a session {interval.middle * 1e3:.2f} ms, known to {interval.half_width:.0%} "
        f"from {len(measured)} trials",
        "differences smaller than that do not show in so few trials: use --budget, and gate on "
        "structure and work rather than on time"
        if interval.half_width > _NOISY
        else "",
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
        return f"{self.typical_s * 1e3:.2f} ms late, 1 in 100 more than {self.p99_s * 1e3:.2f} ms"


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
    """Read what Linux tells of all processors (proc(5)); ``None`` elsewhere."""
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
