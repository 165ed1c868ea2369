"""What one trial measured, as its process sends it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...mocks.clock import Choice
from ...mocks.observe.pools import PoolUse
from ...mocks.observe.requests import Requests
from ...mocks.observe.streams import Streams
from ...mocks.observe.waits import Wait
from ...mocks.observe.wrong_requests import WrongRequest
from .blocked_loop import BlockedLoop
from .call_counts import CallCounts
from .cancellation import CancelledAt, WaitMade
from .data_flow import DataFlow
from .isolation import NO_LEAKS, Isolation
from .left_behind import LeftBehind
from .model_requests import ModelRequests
from .node import Node
from .own_waits import OwnWait
from .played import Played
from .reference import NOTHING_SHARED, Reference, SharedWork
from .refused_hosts import RefusedHost
from .samples import SessionSample
from .service_use import ServiceUse
from .steps import Step
from .time_parts import TimeParts
from .timeline import Timeline, Vitals
from .tools_not_run import ToolsNotRun


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What one trial measured, as its process sends it back.

    Attributes:
        samples: One sample per started session.
        makespan_ns: Start of the trial to the end of its last session, on the clock.
        ideal_makespan_ns: The same for a costless scheduler, from the references of the sessions.
        ideal_latencies_ns: The reference of each session, in the script's order: its critical path.
        reference: What both are made of.
        played: What the sessions asked, if they are not held against the script.
        shared_work: What they were spared by others, if they are held against themselves alone.
        sessions_without_solo: How many of these are held against their longest conversation, since
            alone they failed, or did not run.
        origin_ns: Time on the clock at which it began.
        http_requests: Requests that reached the mocked network.
        llm_calls: Model calls answered.
        streams: The streamed model calls, those of nested sessions booked to the outermost one.
        tool_calls: Calls of the lab's tools.
        tools_not_run: The tool calls of the script that did not run, where that is no failure.
        model_requests: How the requests to the model were booked, and how they relate.
        isolation: Text of one session that another took up.
        wrong_requests: The requests to the model that the real API refuses, in order of time; in
            nanoseconds from the start of the trial.
        own_calls: How many model calls with text of its own each session made, in-process.
        peak_in_flight: Greatest number of model calls waiting at one time.
        requests: The requests to the model, summed up, in a trial in virtual time that was to note
            its waits.
        cpu_s: CPU seconds of the process over the measured sessions, all threads.
        peak_rss_bytes: Greatest resident set of the process.
        elapsed_s: What the measured sessions took on the wall.
        waits: Each call of the model and of tools, if the trial was to note them; in times
            of the clock, as are the next.
        blocked_loop: Where an event loop was blocked, if the trial was to note that.
        calls: What was called, if the trial was to count that.
        bytes_kept: Bytes that its sessions left behind, if the trial was to measure that.
        server_capacity_per_s: Requests without latency that the mock model's server can
            answer a second; ``None`` in-process.
        server_utilisation: CPU seconds that it took per second of the trial.
        time_parts_ns: Where the time of each sample went, in their order, if the trial was to
            account for it.
        vitals: How its process was over time, likewise.
        timeline: What its first sessions did, likewise.
        own_waits: Where sessions were seen to wait inside their own code, likewise.
        pools: The clients' pools in which requests waited for a free connection, likewise.
        refused: The hosts to which requests were refused, since nothing mocks them; what they cost
            is 0 unless the trial was to account for the time of its sessions.
        data_flow: The data flow of its only session, if the trial was to find that.
        choices: Who went on before those that could have gone on first, if a schedule chose.
        cancelled: The sessions that were cancelled, in the order in which they were.
        expired_timers: How many time limits of asyncio expired, if the trial was to count that.
        waits_made: The waits of each session, if the trial was to name them.
        steps: What its sessions did, with the places in the code, if the trial was to note those.
        left_behind: What its sessions left behind, if the trial was to tell.
        probe_cpu_s: CPU seconds that the accounting took, of ``cpu_s``: the cost of one mark,
            measured before the trial, for all the marks of it, and that of the samples.
        service: What a service as deployed took, if one is the target: ``cpu_s`` and
            ``peak_rss_bytes`` are of all its processes then.
        nodes: The nodes of a cluster that it ran on, several if it was sharded; else none.
    """

    samples: tuple[SessionSample, ...]
    makespan_ns: int
    ideal_makespan_ns: int
    ideal_latencies_ns: tuple[int, ...]
    llm_calls: int
    tool_calls: int
    peak_in_flight: int
    cpu_s: float
    peak_rss_bytes: int
    elapsed_s: float
    origin_ns: int = 0
    reference: Reference = Reference.SCRIPT
    played: Played | None = None
    shared_work: SharedWork = NOTHING_SHARED
    sessions_without_solo: int = 0
    http_requests: int = 0
    streams: Streams = field(default_factory=Streams)
    tools_not_run: ToolsNotRun = field(default_factory=ToolsNotRun)
    model_requests: ModelRequests = field(default_factory=ModelRequests)
    isolation: Isolation = NO_LEAKS
    wrong_requests: tuple[WrongRequest, ...] = ()
    own_calls: Mapping[int, int] = field(default_factory=dict)
    requests: Requests | None = None
    waits: tuple[Wait, ...] = ()
    blocked_loop: tuple[BlockedLoop, ...] = ()
    calls: CallCounts | None = None
    bytes_kept: int | None = None
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None
    time_parts_ns: tuple[TimeParts, ...] = ()
    vitals: Vitals | None = None
    timeline: Timeline | None = None
    own_waits: tuple[OwnWait, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    refused: tuple[RefusedHost, ...] = ()
    data_flow: DataFlow | None = None
    choices: tuple[Choice, ...] = ()
    cancelled: tuple[CancelledAt, ...] = ()
    expired_timers: int = 0
    waits_made: Mapping[int, Sequence[WaitMade]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    probe_cpu_s: float | None = None
    service: ServiceUse | None = None
    nodes: tuple[Node, ...] = ()

    @property
    def workload_ns(self) -> tuple[int, tuple[int, ...]]:
        """The ideal makespan and latencies of the script: they say which workload it was."""
        if self.played is None:
            return self.ideal_makespan_ns, self.ideal_latencies_ns
        return self.played.script_makespan_ns, self.played.script_latencies_ns
