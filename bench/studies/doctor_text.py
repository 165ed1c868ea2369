"""What `warpbench doctor` says: what each check found, and what to do about it."""

from ..results.formatting import percent, seconds

LATE_TIMERS = (
    "figures measured in real time are off by as much: use --clock warp, or a machine with finer "
    "timers"
)
LATE_WAKING = (
    "answers over loopback arrive as late: give this user write access to /dev/cpu_dma_latency "
    "(root has it), or read percentiles over sockets with care"
)
FEW_CORES = (
    "a server, a trial and its watchdog share one core: read comparisons over loopback with care"
)
OTHER_LOAD = (
    "other programs take cores and caches from the trials: stop them, or run more trials (--budget)"
)
STEAL = "another guest uses this machine's cores, so CPU seconds include time that it took away"
NOISE = (
    "smaller differences do not show in so few trials: use --budget, and let the gate judge "
    "structure and work rather than time"
)
NOT_KNOWN = "unknown on this system"
NOT_MEASURED = "not measured"
COARSE_CLOCK = "a trial used no measurable CPU time: the CPU clock is too coarse"


def lateness(typical_s: float, p99_s: float) -> str:
    """Say how late something is: typically, and in one case of a hundred."""
    return f"{seconds(typical_s)} late (p99 {seconds(p99_s)})"


def timers(late: str) -> str:
    """Say how late a sleep ends."""
    return f"a sleep ends {late}"


def waking(asleep: str, awake: str | None) -> str:
    """Say how late idle cores wake, and whether they can be kept awake."""
    if awake is None:
        return f"idle cores wake {asleep}, and cannot be kept awake"
    return f"idle cores wake {asleep}; kept awake for loopback, they wake {awake}"


def cores(available: int, total: int, quota: float | None) -> str:
    """Say how many cores may be used."""
    found = f"{available} of {total} cores available"
    return found if quota is None else f"{found}, with a quota of {quota:.2g}"


def load_average(load: float) -> str:
    """Say how busy the machine was over the last minute."""
    return f"a load average of {load:.2f} over the last minute"


def other_load(busy_cores: float) -> str:
    """Say how many cores other programs keep busy."""
    return f"other programs keep {busy_cores:.2f} cores busy"


def steal(share: float) -> str:
    """Say how much of a core's time the hypervisor took away."""
    return f"the hypervisor took away {percent(share)} of a core's time"


def evenness(low_s: float, high_s: float) -> str:
    """Say how much the same work varies."""
    return f"the same work takes {seconds(low_s)} to {seconds(high_s)} of CPU (p10 to p90)"


def uneven(ratio: float) -> str:
    """Say what a varying speed means."""
    return f"the core's speed varies by a factor of {ratio:.2f}: compare figures of one run only"


def no_trial(error: str) -> str:
    """Say that no trial can be run."""
    return f"no trial can be run here: {error}"


def noise(cpu_s: float, half_width: float, trials: int) -> str:
    """Say how well the CPU time of a session is known."""
    return f"CPU/session {seconds(cpu_s)} ± {percent(half_width)} (95 % CI, {trials} trials)"
