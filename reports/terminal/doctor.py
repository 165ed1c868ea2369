"""What ``warpbench doctor`` says: what each check found, and what to do about it."""

from collections.abc import Iterator
from typing import assert_never

from ...bench.results.formatting import percent, seconds
from ...bench.results.machine_check import (
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

_LATE_TIMERS = (
    "figures measured in real time are off by as much: use --clock warp, or a machine with finer "
    "timers"
)
_LATE_WAKING = (
    "answers over loopback arrive as late: give this user write access to /dev/cpu_dma_latency "
    "(root has it), or read percentiles over sockets with care"
)
_FEW_CORES = (
    "a server, a trial and its watchdog share one core: read comparisons over loopback with care"
)
_OTHER_LOAD = (
    "other programs take cores and caches from the trials: stop them, or run more trials (--budget)"
)
_STEAL = "another guest uses this machine's cores, so CPU seconds include time that it took away"
_NOISE = (
    "smaller differences do not show in so few trials: use --budget, and let the gate judge "
    "structure and work rather than time"
)
_COARSE_CLOCK = "a trial used no measurable CPU time: the CPU clock is too coarse"


def check_lines(check: MachineCheck, *, ascii_only: bool = False) -> Iterator[str]:
    """Yield what a check found, and, if all is not well, what that means and what to do.

    Args:
        check: What was found.
        ascii_only: Whether the terminal shows nothing else.
    """
    what, found, advice = _texts(check)
    good, bad = ("ok", "!") if ascii_only else ("✓", "▲")
    yield f"{good if check.is_well else bad} {what}: {found}"
    if not check.is_well:
        yield f"  {advice}"


def _texts(check: MachineCheck) -> tuple[str, str, str]:
    """Return what was checked, what was found, and what to do if that is not well."""
    match check:
        case Cores():
            texts = "cores", _cores(check), _FEW_CORES
        case Timers():
            texts = "timers", f"a sleep ends {_late(check.late)}", _LATE_TIMERS
        case Waking():
            texts = "waking", _waking(check), _LATE_WAKING
        case OtherLoad():
            texts = "other load", _other_load(check), _OTHER_LOAD
        case Steal():
            texts = "steal", _steal(check), _STEAL
        case Speed():
            uneven = (
                f"the core's speed varies by a factor of {check.ratio:.2f}: compare figures of "
                "one run only"
            )
            texts = "steady speed", _speed(check), uneven
        case Noise():
            texts = "noise", _noise(check), _NOISE
        case NoiseNotMeasured():
            texts = "noise", "not measured", _not_measured(check)
        case Isolation():
            texts = "network", _isolation(check), ""
        case _:
            assert_never(check)
    return texts


def _late(late: Lateness) -> str:
    return f"{seconds(late.typical_s)} late (p99 {seconds(late.p99_s)})"


def _cores(check: Cores) -> str:
    found = f"{check.available} of {check.total} cores available"
    return found if check.quota is None else f"{found}, with a quota of {check.quota:.2g}"


def _waking(check: Waking) -> str:
    asleep = f"idle cores wake {_late(check.asleep)}"
    if check.kept_awake is None:
        return f"{asleep}, and cannot be kept awake"
    return f"{asleep}; kept awake for loopback, they wake {_late(check.kept_awake)}"


def _other_load(check: OtherLoad) -> str:
    if check.is_average:
        return f"a load average of {check.busy_cores:.2f} over the last minute"
    return f"other programs keep {check.busy_cores:.2f} cores busy"


def _steal(check: Steal) -> str:
    if check.share is None:
        return "unknown on this system"
    return f"the hypervisor took away {percent(check.share)} of a core's time"


def _speed(check: Speed) -> str:
    return (
        f"the same work takes {seconds(check.p10_s)} to {seconds(check.p90_s)} of CPU (p10 to p90)"
    )


def _noise(check: Noise) -> str:
    return (
        f"CPU/session {seconds(check.cpu_s)} ± {percent(check.half_width)} "
        f"(95 % CI, {check.trials} trials)"
    )


def _isolation(check: Isolation) -> str:
    if check.reason is None:
        return "trials can have one of their own, with loopback only (--network isolated)"
    return f"trials cannot have one of their own, so --network isolated is refused: {check.reason}"


def _not_measured(check: NoiseNotMeasured) -> str:
    return _COARSE_CLOCK if check.error is None else f"no trial can be run here: {check.error}"
