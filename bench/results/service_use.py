"""What a service as deployed took of the machine, over all its processes, and who ended. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

_MOST_ENDED = 20


class MemoryKind(StrEnum):
    """How memory is counted over several processes."""

    PSS = "PSS"
    """The proportional set: a page that processes share is counted once, in parts."""

    RSS = "RSS"
    """The resident set, where the system tells no more: what is shared is counted in each."""


class ServiceLimit(StrEnum):
    """What a service is seen to be limited by, from outside."""

    WORKERS = "workers"
    """Its processes compute all the time."""

    MACHINE = "machine"
    """So do all cores."""

    PROVIDER = "provider"
    """The model refuses requests, by the limits of the scenario."""

    WAITS = "waits"
    """Sessions wait in it, and neither for the model nor for a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded:
    """A process of a service that ended while sessions ran.

    Attributes:
        trial: Number of the trial, from 0 on.
        pid: Its identifier.
        at_ns: When, from the start of the trial.
        status: How, as ``subprocess`` tells it: a signal is below 0; ``None`` if not known.
        was_command: Whether it was the process of the command itself.
        replaced_after_ns: How long after that another one was seen in its place; ``None`` if none
            was, as long as sessions ran.
    """

    trial: int = 0
    pid: int
    at_ns: int
    status: int | None = None
    was_command: bool = False
    replaced_after_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedHost:
    """A mocked service that was asked while sessions ran, by whatever of the service.

    Attributes:
        host: Its host, or the path of an endpoint beside the model's answers.
        requests: How many requests there were.
        total_s: Seconds that they took, one and all.
    """

    host: str
    requests: int
    total_s: float

    @property
    def mean_s(self) -> float:
        """Seconds that one took, in the mean."""
        return self.total_s / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUse:
    """What a service took while the sessions ran, over the trials of a cell.

    Attributes:
        cpu_s: CPU seconds of all its processes, summed over the trials.
        elapsed_s: Real seconds of the sessions, summed likewise.
        processes: Most processes at one time.
        threads: Most threads of all processes at one time.
        files: Most open file descriptors at one time, sockets among them.
        memory_bytes: Most memory of all processes at one time.
        memory_kind: How that is counted.
        started: Processes that began while sessions ran, summed.
        ended: Processes that ended then, the first ones; helpers that ended as they should not
            among them.
        ended_count: How many there were.
        client_cpu_s: CPU seconds of the lab's own process, which asks, summed.
        cores: Cores of the machine.
        asked: The mocked services that it asked, those that took longest first.
    """

    cpu_s: float
    elapsed_s: float
    processes: int
    threads: int
    files: int
    memory_bytes: int
    memory_kind: MemoryKind
    started: int = 0
    ended: tuple[ProcessEnded, ...] = ()
    ended_count: int = 0
    client_cpu_s: float = 0.0
    cores: int = 1
    asked: tuple[AskedHost, ...] = ()

    @property
    def cores_busy(self) -> float:
        """Cores that its processes kept busy, in the mean."""
        return self.cpu_s / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def client_cores(self) -> float:
        """The share of a core that the lab's own process took."""
        return self.client_cpu_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


def summed(uses: Sequence["ServiceUse | None"]) -> ServiceUse | None:
    """Return what a service took over several trials; ``None`` if there was none."""
    found = [use for use in uses if use is not None]
    if not found:
        return None
    ended = [replace(each, trial=trial) for trial, use in enumerate(found) for each in use.ended]
    return ServiceUse(
        cpu_s=sum(use.cpu_s for use in found),
        elapsed_s=sum(use.elapsed_s for use in found),
        processes=max(use.processes for use in found),
        threads=max(use.threads for use in found),
        files=max(use.files for use in found),
        memory_bytes=max(use.memory_bytes for use in found),
        memory_kind=found[0].memory_kind,
        started=sum(use.started for use in found),
        ended=tuple(ended[:_MOST_ENDED]),
        ended_count=sum(use.ended_count for use in found),
        client_cpu_s=sum(use.client_cpu_s for use in found),
        cores=found[0].cores,
        asked=asked_hosts(each for use in found for each in use.asked),
    )


def asked_hosts(each_time: Iterable[AskedHost]) -> tuple[AskedHost, ...]:
    """Add up by host what mocked services were asked; those that took longest come first."""
    by_host: dict[str, AskedHost] = {}
    for each in each_time:
        known = by_host.get(each.host, AskedHost(host=each.host, requests=0, total_s=0.0))
        by_host[each.host] = AskedHost(
            host=each.host,
            requests=known.requests + each.requests,
            total_s=known.total_s + each.total_s,
        )
    return tuple(sorted(by_host.values(), key=lambda each: -each.total_s))
