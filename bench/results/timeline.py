"""How a trial went over time: its process, and what the first sessions did."""

from dataclasses import dataclass, fields
from enum import StrEnum

from .columns import require_equal_lengths
from .samples import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How a trial's process was over time: columns of samples, at most some hundred.

    Attributes:
        at_ns: When each was taken, on the clock, since the trial's start.
        loop_lag_ns: The longest since the sample before that an event loop took to come round:
            so late is at most what was due in between.
        in_flight: Model calls that waited; 0 throughout where a server has them.
        sessions: Sessions that ran.
        threads: Threads that were alive.
        tasks: Tasks of the event loop.
        rss_bytes: Resident memory.
        cpu_ns: CPU time of the process since the trial's start.
        gc_pause_ns: What garbage collections took since the sample before, of CPU.
    """

    at_ns: tuple[int, ...] = ()
    loop_lag_ns: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()
    sessions: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    rss_bytes: tuple[int, ...] = ()
    cpu_ns: tuple[int, ...] = ()
    gc_pause_ns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        columns = {part.name: getattr(self, part.name) for part in fields(self)}
        require_equal_lengths({"at_ns": columns.pop("at_ns")}, columns)


class LaneState(StrEnum):
    """What a session does at a moment, as a picture shows it."""

    MODEL = "model"
    TOOL = "tool"
    TOOLS = "tools"
    READY = "ready"
    ADMISSION = "admission"
    CONNECTION = "connection"
    RETRY = "retry"
    OWN = "own"
    OWN_WAIT = "own_wait"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One session over time, in nanoseconds on the clock, since the trial's start.

    Attributes:
        session: Its number.
        outcome: How it ended.
        end_ns: When it ended.
        from_ns: When each of its states began; each lasts until the next.
        state: The states; ``tools`` are several at one time.
        place: Where the session waits in its own code in each of them, as an index of the places of
            the timeline; -1 elsewhere. Empty if no place is known.
    """

    session: int
    outcome: Outcome
    end_ns: int
    from_ns: tuple[int, ...]
    state: tuple[LaneState, ...]
    place: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        columns = {"from_ns": self.from_ns, "state": self.state}
        require_equal_lengths(columns, {"place": self.place})


@dataclass(frozen=True, slots=True)
class BlockedSpan:
    """A span of time in which an event loop was blocked, and by what; as ``Lane`` has it."""

    begin_ns: int
    end_ns: int
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What the first sessions of a trial did, and when an event loop was blocked meanwhile.

    Attributes:
        lanes: The sessions.
        blocked: When an event loop was blocked.
        places: The places at which the sessions waited in their own code, as ``OwnWait`` has them.
    """

    lanes: tuple[Lane, ...] = ()
    blocked: tuple[BlockedSpan, ...] = ()
    places: tuple[str, ...] = ()
