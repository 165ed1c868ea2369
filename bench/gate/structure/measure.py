"""What a trial in virtual time looked like: numbers that are exact, on any machine. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from ....mocks.clock import seconds
from ....mocks.observe.waits import Wait
from ...results.blocked_loop import BlockedLoop, loop_blockers
from ...results.records import LatencySummary
from ...results.reference import Reference
from ...results.samples import Outcome
from ...results.trial_result import TrialResult
from ...statistics.objectives import Times
from ...statistics.percentiles import summarise
from ...statistics.streams import first_output_of, itl_of, ttft_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundStructure:
    """The tools that the answers of one round asked for.

    Attributes:
        calls: How often each tool was called in it, over all sessions.
        sessions: How many sessions had it.
        span_s: From the first call's begin to the last one's end, mean over the sessions.
        longest_s: The longest call, mean over the sessions: the span if all overlap.
        total_s: All calls together, mean over the sessions: the span if none overlap.
    """

    calls: Mapping[str, int]
    sessions: int
    span_s: float
    longest_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedPlace:
    """Where an event loop was blocked.

    Attributes:
        times: How often.
        total_s: For how long in all.
    """

    times: int
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A trial in numbers that only a change of the code or of the workload can change.

    Attributes:
        makespan_s: Start to the end of the last session.
        latency_s: Percentiles of session latency.
        succeeded: Sessions that ended well, of ``started``.
        started: Sessions begun.
        model_calls: Calls of the model.
        repeated_model_calls: Those that asked again what had been asked before.
        model_calls_by_session: How many sessions made how many calls of the model.
        tool_calls: Calls of tools.
        streamed_model_calls: Those that ask for a streamed answer; ``None`` if not recorded.
        request_bytes: Bytes of their requests' bodies, without session numbers; likewise.
        request_parts: Those of each part, ``messages.system`` or ``tools.search``; likewise.
        service_request_bytes: Bytes of the requests to each service, by its host; likewise.
        refused_requests: Requests of sessions that nothing mocks, by host; likewise.
        prompt_tokens: Tokens of the prompts of all model calls, as the model reports; likewise.
        completion_tokens: Tokens of their answers that were taken up; likewise.
        ttft_s: Figures of the time to first token of streamed model calls, by the names of
            ``LatencySummary``, as far as there are any; likewise, as are the next.
        itl_s: Those of their inter-token latency.
        first_output_s: Those of the time to first output of sessions that yield it.
        peak_in_flight: Greatest number of model calls waiting at one time.
        peak_tools_in_flight: Greatest number of tools under way at one time.
        blocked_loop: Where an event loop was blocked, by place in the code.
        rounds: The rounds of tools by the number of the model call that asked for them.
        ideal_makespan_s: What a costless scheduler would reach: says which workload it was.
        ideal_latency_s: The sessions' critical paths in the script, likewise.
        equal_model_calls: Requests that are equal to another, by how they relate to it: the counts
            of ``ModelRequests``; ``None`` if not recorded.
        leaked_sessions: Sessions that took up text of another one; 0 is right without a baseline.
        reference: What an efficiency of the cell is of; the gate compares none.
    """

    makespan_s: float
    latency_s: LatencySummary
    succeeded: int
    started: int
    model_calls: int
    repeated_model_calls: int
    model_calls_by_session: Mapping[str, int]
    tool_calls: int
    peak_in_flight: int
    peak_tools_in_flight: int
    blocked_loop: Mapping[str, BlockedPlace]
    rounds: Mapping[str, RoundStructure]
    ideal_makespan_s: float
    ideal_latency_s: LatencySummary
    reference: Reference = Reference.SCRIPT
    streamed_model_calls: int | None = None
    request_bytes: int | None = None
    request_parts: Mapping[str, int] | None = None
    service_request_bytes: Mapping[str, int] | None = None
    refused_requests: Mapping[str, int] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ttft_s: Mapping[str, float] | None = None
    itl_s: Mapping[str, float] | None = None
    first_output_s: Mapping[str, float] | None = None
    equal_model_calls: Mapping[str, int] | None = None
    leaked_sessions: int = 0

    @property
    def times(self) -> Times:
        """The percentiles that an objective can be about."""
        return Times(
            self.latency_s,
            *(
                LatencySummary(**(known or {}))
                for known in (self.ttft_s, self.itl_s, self.first_output_s)
            ),
        )


def structure_of(trial: TrialResult) -> Structure:
    """Return the structure of a trial that has noted its waits."""
    asked = [wait for wait in trial.waits if wait.index is None]
    tools = [wait for wait in trial.waits if wait.index is not None]
    requests = trial.requests
    by_session = Counter(wait.session for wait in asked)
    ideal_ns, ideal_latencies_ns = trial.workload_ns
    return Structure(
        makespan_s=seconds(trial.makespan_ns),
        latency_s=summarise([seconds(each.end_ns - each.start_ns) for each in trial.samples]),
        succeeded=sum(sample.outcome is Outcome.SUCCEEDED for sample in trial.samples),
        started=len(trial.samples),
        model_calls=trial.llm_calls,
        repeated_model_calls=len(asked) - len({(wait.session, wait.step) for wait in asked}),
        model_calls_by_session={
            str(calls): sessions for calls, sessions in sorted(Counter(by_session.values()).items())
        },
        tool_calls=trial.tool_calls,
        peak_in_flight=trial.peak_in_flight,
        peak_tools_in_flight=_peak(tools),
        blocked_loop=_blocked(trial.blocked_loop),
        rounds=_rounds(tools),
        ideal_makespan_s=seconds(ideal_ns),
        ideal_latency_s=summarise([seconds(each) for each in ideal_latencies_ns]),
        reference=trial.reference,
        streamed_model_calls=None if requests is None else requests.streamed,
        request_bytes=None if requests is None else requests.body_bytes,
        request_parts=None if requests is None else requests.part_bytes,
        service_request_bytes=None if requests is None else requests.service_bytes,
        refused_requests={each.host: each.requests for each in trial.refused if each.requests},
        prompt_tokens=trial.streams.prompt_tokens,
        completion_tokens=trial.streams.completion_tokens,
        ttft_s=_known(ttft_of([trial.streams])),
        itl_s=_known(itl_of([trial.streams])),
        first_output_s=_known(first_output_of(trial.samples)),
        equal_model_calls=trial.model_requests.equal(),
        leaked_sessions=trial.isolation.leaked_sessions,
    )


def _known(summary: LatencySummary) -> dict[str, float]:
    return {name: value for name, value in asdict(summary).items() if value is not None}


def _blocked(segments: Iterable[BlockedLoop]) -> dict[str, BlockedPlace]:
    # In virtual time nobody is held up by computing: there is one cause, and one blocker a place.
    blockers = sorted(loop_blockers(segments), key=lambda blocker: blocker.place)
    return {
        blocker.place: BlockedPlace(times=blocker.times, total_s=blocker.total_s)
        for blocker in blockers
    }


def _rounds(tools: Iterable[Wait]) -> dict[str, RoundStructure]:
    rounds: defaultdict[int, defaultdict[int, list[Wait]]] = defaultdict(lambda: defaultdict(list))
    for wait in tools:
        rounds[wait.step][wait.session].append(wait)
    return {str(step): _round(list(rounds[step].values())) for step in sorted(rounds)}


def _round(sessions: Sequence[Sequence[Wait]]) -> RoundStructure:
    spans_ns = [max(w.end_ns for w in waits) - min(w.start_ns for w in waits) for waits in sessions]
    longest_ns = [max(wait.end_ns - wait.start_ns for wait in waits) for waits in sessions]
    total_ns = sum(wait.end_ns - wait.start_ns for waits in sessions for wait in waits)
    names = Counter(wait.name for waits in sessions for wait in waits)
    return RoundStructure(
        calls=dict(sorted(names.items())),
        sessions=len(sessions),
        # Whole nanoseconds are summed, so that the order of sessions changes nothing.
        span_s=seconds(sum(spans_ns)) / len(sessions),
        longest_s=seconds(sum(longest_ns)) / len(sessions),
        total_s=seconds(total_ns) / len(sessions),
    )


def _peak(waits: Iterable[Wait]) -> int:
    # At one moment ends come before begins: what follows upon another is not beside it.
    edges = [(wait.start_ns, 1) for wait in waits if wait.end_ns > wait.start_ns]
    edges += [(wait.end_ns, -1) for wait in waits if wait.end_ns > wait.start_ns]
    peak = now = 0
    for _, step in sorted(edges):
        now += step
        peak = max(peak, now)
    return peak
