"""What was found of a machine that is to measure, as values, each with a judgement."""

from dataclasses import dataclass

_LATE_S = 0.001
_FEWEST_CORES = 2
_BUSY = 0.25
_STOLEN = 0.02
_UNEVEN = 1.25
_NOISY = 0.1


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late something is, in seconds: typically, and in one case of a hundred."""

    typical_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores may be used.

    Attributes:
        available: Cores that this process may use.
        total: Cores of the machine.
        quota: How many of them a container may keep busy; ``None`` without a limit.
    """

    available: int
    total: int
    quota: float | None

    @property
    def is_well(self) -> bool:
        """Whether a server and a trial have a core each."""
        usable = self.available if self.quota is None else min(self.available, self.quota)
        return usable >= _FEWEST_CORES


@dataclass(frozen=True, slots=True)
class Timers:
    """How late a sleep ends."""

    late: Lateness

    @property
    def is_well(self) -> bool:
        """Whether waiting in real time is as long as it should be."""
        return self.late.typical_s <= _LATE_S


@dataclass(frozen=True, slots=True)
class Waking:
    """How late idle cores wake.

    Attributes:
        asleep: As the machine is.
        kept_awake: While a server keeps them awake; ``None`` if it may not.
    """

    asleep: Lateness
    kept_awake: Lateness | None

    @property
    def is_well(self) -> bool:
        """Whether answers over loopback arrive in time."""
        return self.kept_awake is not None or self.asleep.p99_s <= _LATE_S


@dataclass(frozen=True, slots=True)
class OtherLoad:
    """How many cores other programs keep busy.

    Attributes:
        busy_cores: Their number.
        is_average: Whether it is the load average over the last minute, for want of better.
    """

    busy_cores: float
    is_average: bool = False

    @property
    def is_well(self) -> bool:
        """Whether trials have the machine to themselves."""
        return self.busy_cores <= _BUSY


@dataclass(frozen=True, slots=True)
class Steal:
    """What share of a core's time the hypervisor took away; ``None`` where it is not told."""

    share: float | None

    @property
    def is_well(self) -> bool:
        """Whether CPU seconds are of this machine alone."""
        return self.share is None or self.share <= _STOLEN


@dataclass(frozen=True, slots=True)
class Speed:
    """How much CPU time the same work takes, again and again.

    Attributes:
        p10_s: What nine in ten times exceed, in seconds.
        p90_s: What one in ten exceeds.
    """

    p10_s: float
    p90_s: float

    @property
    def ratio(self) -> float:
        """How many times the one is the other."""
        return self.p90_s / self.p10_s

    @property
    def is_well(self) -> bool:
        """Whether the core is steady enough to compare runs."""
        return self.ratio <= _UNEVEN


@dataclass(frozen=True, slots=True)
class Noise:
    """By how much the same trial differs.

    Attributes:
        cpu_s: CPU time of a session, in seconds.
        half_width: Half the width of its 95 % confidence interval, as a share.
        trials: Number of trials.
    """

    cpu_s: float
    half_width: float
    trials: int

    @property
    def is_well(self) -> bool:
        """Whether differences of a tenth show."""
        return self.half_width <= _NOISY


@dataclass(frozen=True, slots=True)
class NoiseNotMeasured:
    """Noise could not be measured.

    Attributes:
        error: Why no trial can be run; ``None`` if trials used no measurable CPU time.
    """

    error: str | None = None

    @property
    def is_well(self) -> bool:
        """It is not: nothing can be measured here."""
        return False


@dataclass(frozen=True, slots=True)
class Isolation:
    """Whether trials may have a network of their own, as ``--network isolated`` gives them.

    Attributes:
        reason: Why not; ``None`` if they may.
    """

    reason: str | None

    @property
    def is_well(self) -> bool:
        """It is: nothing is measured any worse without."""
        return True


MachineCheck = (
    Cores | Timers | Waking | OtherLoad | Steal | Speed | Noise | NoiseNotMeasured | Isolation
)
