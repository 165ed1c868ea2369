"""The result of a trial: what its sessions did, held against what they were to do."""

import resource
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...mocks.clock import Choice, nanoseconds, seconds
from ...mocks.model import Manner, Rule
from ...mocks.observe.refusals import Refusal
from ...mocks.observe.traffic import Traffic
from ...mocks.observe.waits import Wait, WaitKind
from ...mocks.transports.registry import Seen
from ...mocks.workload.ideal import Waits, ideal_latencies_ns, ideal_makespan_ns
from ...mocks.workload.numbers import session_of
from ...mocks.workload.script import Script, SessionScript, roots
from ..attribution.isolation import isolated, isolation_of
from ..attribution.judge import Judge
from ..attribution.met import Met, tools_not_run
from ..attribution.own_tools import tool_rounds
from ..attribution.own_waits import OwnWaits, with_sleeps_beside
from ..attribution.steps import steps_of
from ..attribution.tools_run import ToolsRun
from ..attribution.wrong_requests import wrong_requests_of
from ..instruments.answers import Answers
from ..instruments.probe import Probe
from ..instruments.recorder import Accounting
from ..instruments.session_waits import SessionWaits
from ..results.call_counts import CallCounts
from ..results.cell import Cell
from ..results.model_requests import ModelRequests
from ..results.service_use import AskedHost, ServiceUse, asked_hosts
from ..results.steps import Step
from ..results.time_parts import TimeParts
from ..results.tools_not_run import ToolsNotRun
from ..results.trial_result import TrialResult
from ..strategies import Strategy

_KIBIBYTE = 1024
_NEVER_NS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the sessions of a trial are to do, and where: the same however often it is measured.

    Attributes:
        cell: The cell.
        strategy: Its strategy.
        script: The script of its sessions.
        sessions: All scripts that may be asked for, by number: those of the warm-up, too.
        arrivals_ns: When each session arrives, from the start; ``None`` in a closed loop.
        cores: Cores that computing may use.
        tools_are_optional: Whether a session succeeds without the tools that its script asks for.
        notes_waits: Whether the result tells every wait.
        notes_places: Whether it tells what the sessions did, and where in the code.
    """

    cell: Cell
    strategy: Strategy
    script: Script
    sessions: Mapping[int, SessionScript]
    arrivals_ns: Sequence[int] | None
    cores: int
    tools_are_optional: bool
    notes_waits: bool
    notes_places: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of the sessions, once they have ended.

    Attributes:
        probe: Has watched them.
        answers: Has taken up what they answered.
        seen: What the mocked world has seen.
        tool_traffic: What the lab's tools have seen.
        waits: Which waits of the scripts count.
        tools: Which tool calls ran; ``None`` if the target is to run none of the script's.
        refusals: The requests that nothing mocks, in the order in which they were refused.
        refused_before: Those of before the sessions.
        choices: Who went on before those that could have gone on first.
        session_waits: Has seen the waits of the sessions, if some was cancelled or all were named.
        expired_timers: How many time limits of asyncio expired, if they were counted.
        cpu_s: CPU seconds of the process meanwhile.
        elapsed_s: Real seconds that they took.
        calls: The calls of functions, if they were counted.
        bytes_kept: The bytes that the sessions left behind, if they were traced.
        service: What a service as deployed took, if one was driven.
    """

    probe: Probe
    answers: Answers
    seen: Seen
    tool_traffic: Traffic
    waits: Waits
    tools: ToolsRun | None
    refusals: Sequence[Refusal]
    refused_before: Sequence[Refusal]
    choices: tuple[Choice, ...]
    session_waits: SessionWaits | None
    expired_timers: int
    cpu_s: float
    elapsed_s: float
    calls: CallCounts | None
    bytes_kept: int | None
    service: ServiceUse | None = None


def trial_result(plan: Plan, ran: Ran, accounting: Accounting) -> TrialResult:
    """Return the result of a trial.

    Args:
        plan: What was to be done.
        ran: What came of it.
        accounting: Has noted where the time went.
    """
    seen, cell, origin_ns = ran.seen, plan.cell, ran.probe.origin_ns
    session_waits = ran.session_waits
    met = Met(
        asked_ns=seen.asked_ns,
        read_ns=seen.read_ns,
        tool_spans_ns=ran.tool_traffic.tool_spans_ns,
        latencies_ns=seen.latencies_ns,
        lab_tools_asked=seen.lab_tools_asked,
        read_again=seen.read_again,
        origin_ns=origin_ns,
        follow_ups=seen.follow_ups | _beyond_answers(ran, origin_ns),
    )
    waits = accounting.noted_waits(seen.waits)
    judge = Judge(
        plan.sessions,
        ran.waits,
        met,
        waits,
        None if plan.tools_are_optional else ran.tools,
        has_shared=bool(seen.rules.get(Rule.SHARED)),
    )
    leaks = (*seen.leaks, *ran.answers.leaks)
    samples = tuple(judge.checked(sample) for sample in isolated(ran.probe.samples(), leaks))
    left_out = ToolsNotRun()
    if ran.tools is not None:
        left_out = tools_not_run(samples, plan.sessions, ran.waits, met, ran.tools)
    script = replace(plan.script, sessions=judge.references(plan.script.sessions, samples))
    counts = judge.reference_waits
    own = with_sleeps_beside(accounting.own_waits() or {}, waits)
    own_waits = OwnWaits(own, tool_rounds(script.sessions, samples, own, counts, met))
    noted = accounting.accounted(
        {session.session: session for session in plan.script.sessions},
        samples,
        waits,
        ran.refusals,
        refused_before=ran.refused_before,
        waits_are_served=seen.waits is not None,
        origin_ns=origin_ns,
        cpu_s=ran.cpu_s if ran.service is None else ran.service.cpu_s,
        cores=plan.cores,
        places=plan.strategy.places(cell.concurrency),
        own_waits=own_waits,
    )
    result = TrialResult(
        samples=samples,
        makespan_ns=max((sample.end_ns for sample in samples), default=0),
        ideal_makespan_ns=ideal_makespan_ns(
            script,
            counts,
            plan.cores,
            cell.concurrency,
            plan.arrivals_ns,
            own_tools_ns=own_waits.needed_ns,
        ),
        ideal_latencies_ns=ideal_latencies_ns(script, counts, plan.cores, own_waits.needed_ns),
        reference=judge.reference,
        played=judge.played(plan.script, samples, plan.cores, cell.concurrency, plan.arrivals_ns),
        origin_ns=origin_ns,
        http_requests=seen.http_requests,
        llm_calls=seen.llm_calls,
        streams=seen.streams.booked_to(roots(plan.script.sessions)),
        tool_calls=ran.tool_traffic.tool_calls,
        tools_not_run=left_out,
        model_requests=_model_requests(seen),
        own_calls=Counter(session_of(number) for number, _ in seen.own_calls),
        isolation=isolation_of(leaks, seen.cache_hits + ran.answers.cache_hits, origin_ns),
        wrong_requests=wrong_requests_of(seen.wrong_requests, origin_ns),
        peak_in_flight=seen.peak_in_flight,
        requests=seen.requests,
        cpu_s=ran.cpu_s,
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE,
        elapsed_s=ran.elapsed_s,
        waits=noted.waits if plan.notes_waits else (),
        blocked_loop=noted.blocked_loop,
        calls=ran.calls,
        bytes_kept=ran.bytes_kept,
        server_capacity_per_s=seen.server_capacity_per_s,
        server_utilisation=seen.server_utilisation,
        time_parts_ns=noted.time_parts_ns,
        timeline=noted.timeline,
        own_waits=noted.own_waits,
        pools=noted.pools,
        refused=noted.refused,
        vitals=noted.vitals,
        choices=ran.choices,
        cancelled=() if session_waits is None else tuple(session_waits.cancelled),
        expired_timers=ran.expired_timers,
        waits_made={} if session_waits is None else session_waits.made,
        steps=steps_noted(accounting, seen.waits, origin_ns) if plan.notes_places else (),
        probe_cpu_s=noted.probe_cpu_s,
    )
    return result if ran.service is None else _of_service(result, ran.service, waits)


def _beyond_answers(ran: Ran, origin_ns: int) -> frozenset[tuple[int, int]]:
    """Return the model calls that went on, or began, when their session had its answer.

    From outside a service it is not seen who waits for them: its user does not.
    """
    if ran.service is None:
        return frozenset()
    ends_ns = {each.session: origin_ns + each.end_ns for each in ran.probe.samples()}
    read_ns = ran.seen.read_ns
    return frozenset(
        call
        for call in ran.seen.asked_ns
        if read_ns.get(call, _NEVER_NS) > ends_ns.get(session_of(call[0]), _NEVER_NS - 1)
    )


def _of_service(result: TrialResult, service: ServiceUse, waits: Sequence[Wait]) -> TrialResult:
    """Return a result whose CPU and memory are those of the service, not of who asks it.

    What was noted of the lab's own event loop and process says nothing of the service.
    """
    asked = asked_hosts(
        AskedHost(host=each.name, requests=1, total_s=seconds(each.end_ns - each.start_ns))
        for each in waits
        if each.kind is WaitKind.SERVICE
    )
    cpu_ns = nanoseconds(service.cpu_s) // max(1, len(result.samples))
    return replace(
        result,
        service=replace(service, asked=asked),
        time_parts_ns=tuple(_from_outside(each, cpu_ns) for each in result.time_parts_ns),
        cpu_s=service.cpu_s,
        peak_rss_bytes=service.memory_bytes,
        blocked_loop=(),
        own_waits=(),
        pools=(),
        vitals=None,
        probe_cpu_s=None,
    )


def _from_outside(parts: TimeParts, cpu_ns: int) -> TimeParts:
    """Return the parts of a session as they are known from outside the service.

    What it did not wait for the model, it computed, as the others did in the mean, or it waited in
    the service: for the event loop there, a pool, a lock, another service.
    """
    inside_ns = parts.ready + parts.cpu + parts.remainder
    computed_ns = min(cpu_ns, inside_ns)
    return replace(parts, ready=0, cpu=computed_ns, remainder=inside_ns - computed_ns)


def steps_noted(
    accounting: Accounting, served: Sequence[Wait] | None, origin_ns: int
) -> tuple[Step, ...]:
    """Return what the sessions have done so far, in the order of its begin.

    Args:
        accounting: Has noted their waits.
        served: The waits that a server in another process noted; ``None`` without one.
        origin_ns: Time on the clock from which the steps count.
    """
    waits = (*accounting.noted_waits(served), *accounting.thread_waits)
    return steps_of(waits, accounting.own_waits() or {}, origin_ns)


def _model_requests(seen: Seen) -> ModelRequests:
    rules, manners, inputs = seen.rules, seen.manners, seen.inputs
    return ModelRequests(
        by_context=rules.get(Rule.CONTEXT, 0),
        by_header=rules.get(Rule.HEADER, 0),
        by_marks=rules.get(Rule.MARKS, 0),
        shared=rules.get(Rule.SHARED, 0),
        retries=manners.get(Manner.RETRY, 0),
        repeats=manners.get(Manner.REPEAT, 0),
        samples=manners.get(Manner.SAMPLE, 0),
        hedges=manners.get(Manner.HEDGE, 0),
        inputs_by_marks=inputs.get(Rule.MARKS, 0),
        inputs_shared=inputs.get(Rule.SHARED, 0),
        limited=manners.get(Manner.LIMITED, 0),
    )
