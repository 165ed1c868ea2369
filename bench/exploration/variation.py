"""The schedules of an exploration: the same sessions, in another order of events. Pure.

What a schedule varies: every latency is drawn anew from the scenario's own distributions, and a
constant one within a fifth of it, so that what ends first is another one each time; who goes on
among threads and loops that could; and in every third schedule one session in five is cancelled in
one of its waits, as by a client that goes away. All of it follows from a seed, and from the waits
that the sessions make in schedule 0.
"""

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from ...mocks.clock import Manner, ScheduleSpec
from ...mocks.scenario import Scenario, WaitName
from ...mocks.scenario.distributions import Constant, Distribution, Uniform
from ...mocks.scenario.model import RoundSpec, Timing, ToolCallSpec
from ...mocks.workload.numbers import session_of
from ...mocks.workload.script import ModelCallScript, draw_again, draw_session, with_nested
from ..results.cancellation import AT_ITS_BEGIN, AT_ITS_END, Cancellation, WaitMade
from ..results.case import Case
from ..trial.spec import TrialSpec

_VARIES_BY = 0.2
_CANCELS_EACH = 3
_CANCELLED = 0.2
_NS_PER_MS = 1_000_000

WaitsMade = Callable[[], Mapping[int, Sequence[WaitMade]]]
"""Returns the waits that each session makes in schedule 0: asked only where a session is cancelled
in one of them."""


def _no_waits() -> Mapping[int, Sequence[WaitMade]]:
    return {}


def spec_of_schedule(spec: TrialSpec, number: int, waits_made: WaitsMade = _no_waits) -> TrialSpec:
    """Return the trial of a schedule.

    Args:
        spec: The cell that is explored; its seed is the exploration's.
        number: Which schedule, from 0 on. The first one is the cell as it is.
        waits_made: Returns the waits of which one is chosen for a session that is cancelled.
    """
    if number == 0:
        return spec
    seed = zlib.crc32(f"{spec.cell.seed}/schedule/{number}".encode())
    manner = Manner.AT_RANDOM if number % 2 else Manner.BY_PRIORITY
    scenario = varied(spec.scenario)
    return replace(
        spec,
        scenario=scenario,
        cell=replace(spec.cell, seed=seed),
        schedule=ScheduleSpec(manner, seed),
        cancels=tuple(_cancels(seed, spec.cell.session_count, waits_made()))
        if number % _CANCELS_EACH == 0
        else (),
    )


def spec_of_case(spec: TrialSpec, case: Case, waits_made: WaitsMade = _no_waits) -> TrialSpec:
    """Return the trial of a case.

    Args:
        spec: The cell that is explored.
        case: A schedule of it, and what of that is kept.
        waits_made: As for ``spec_of_schedule``; a case that says who is cancelled asks it nothing.
    """
    says_cancels = case.cancels is not None
    whole = spec_of_schedule(spec, case.schedule, _no_waits if says_cancels else waits_made)
    if case.cancels is not None:
        timed = {each.session: each for each in _timed_cancels(whole)}
        named = (timed.get(each) if isinstance(each, int) else each for each in case.cancels)
        whole = replace(whole, cancels=tuple(each for each in named if each is not None))
    if case.sessions is not None:
        load = max(1, min(len(case.sessions), whole.cell.concurrency))
        whole = replace(
            whole,
            only=case.sessions,
            cell=replace(whole.cell, concurrency=load),
            cancels=tuple(each for each in whole.cancels if each.session in case.sessions),
        )
    if case.choices is not None and whole.schedule is not None:
        whole = replace(whole, schedule=replace(whole.schedule, tape=case.choices))
    if case.waits is not None:
        drawn = {
            kept.wait: None if kept.by_ms is None else kept.by_ms * _NS_PER_MS
            for kept in case.waits
        }
        scenario = replace(whole.scenario, drawn_waits=drawn)
        whole = replace(whole, scenario=scenario)
    return whole


def drawn_waits(
    spec: TrialSpec, met: Collection[WaitName] = ()
) -> Mapping[WaitName, tuple[str, int, int]]:
    """Return the calls of a trial whose latency is not the median of what it is drawn from.

    Args:
        spec: The trial.
        met: The model calls that its sessions made. Those of further conversations, and those
            beyond a script, are drawn when they are asked for, and known from there alone.

    Returns:
        For each its tool, or empty text for the model, its latency, and the median, in nanoseconds.
    """
    medians = replace(spec.scenario, drawn_waits={})
    found: dict[WaitName, tuple[str, int, int]] = {}
    at_medians = _calls(spec, medians, met)
    for name, call in _calls(spec, spec.scenario, met).items():
        median = at_medians[name]
        found[name] = "", call.latency_ns, median.latency_ns
        for place, (tool, at_median) in enumerate(
            zip(call.tool_calls, median.tool_calls, strict=True), 1
        ):
            found[name._replace(tool=place)] = tool.name, tool.latency_ns, at_median.latency_ns
    return {name: each for name, each in found.items() if each[1] != each[2]}


def _calls(
    spec: TrialSpec, scenario: Scenario, met: Collection[WaitName]
) -> Mapping[WaitName, ModelCallScript]:
    """Return the model calls of a trial, drawn from a scenario."""
    seed = spec.cell.seed
    sessions = spec.only or range(spec.cell.session_count)
    scripts = [
        script
        for session in sessions
        for script in with_nested(draw_session(scenario, seed, session))
    ]
    known = {script.session for script in scripts}
    further = {name.number for name in met if session_of(name.number) in sessions} - known
    scripts += [draw_session(scenario, seed, number) for number in sorted(further)]
    calls = {
        WaitName(script.session, step): call
        for script in scripts
        for step, call in enumerate(script.model_calls)
    }
    for name in sorted(met):
        if name not in calls and session_of(name.number) in sessions and scenario.rounds:
            calls[name] = draw_again(scenario, seed, name.number, name.step)
    return calls


def _cancels(
    seed: int, sessions: int, made: Mapping[int, Sequence[WaitMade]]
) -> Iterator[Cancellation]:
    """Yield which sessions are cancelled, and when: of each by itself, however many there are."""
    for session in range(sessions):
        generator = Random(f"cancels/{seed}/{session}")
        # Where no time passes no client goes away.
        waits = [wait for wait in made.get(session, ()) if wait.length_ns]
        if generator.random() < _CANCELLED and waits:
            wait = waits[generator.randrange(len(waits))]
            yield Cancellation(session, wait.what, wait.ordinal, _moment(wait, generator))


def _moment(wait: WaitMade, generator: Random) -> int | None:
    """Return when in a wait it is: at its begin, at its end, or between, with the same chance.

    Who goes away as the answer arrives, and who goes away before anything was done, meet other code
    than all others do: a time at random would be neither.
    """
    moment = generator.choice(("begin", "between", "end"))
    if moment == "end":
        return AT_ITS_END
    whole_ms = wait.length_ns // _NS_PER_MS
    if moment == "begin" or whole_ms <= 1:
        return AT_ITS_BEGIN
    return generator.randrange(1, whole_ms) * _NS_PER_MS


def _timed_cancels(spec: TrialSpec) -> Iterator[Cancellation]:
    """Yield what versions cancelled that drew a time for it: their cases run again as they did."""
    seed = spec.cell.seed
    for session in range(spec.cell.session_count):
        generator = Random(f"cancels/{seed}/{session}")
        if generator.random() < _CANCELLED:
            calls = draw_session(spec.scenario, seed, session).model_calls
            waits_ns = sum(
                call.latency_ns + sum(tool.latency_ns for tool in call.tool_calls) for call in calls
            )
            yield Cancellation(session, after_ns=generator.randint(0, 2 * waits_ns))


def varied(scenario: Scenario) -> Scenario:
    """Return a scenario whose constant latencies are drawn within a fifth of what they are."""
    return replace(
        scenario,
        tools={
            name: replace(tool, latency=_varied(tool.latency))
            for name, tool in scenario.tools.items()
        },
        rounds=tuple(map(_varied_round, scenario.rounds)),
        conversations=tuple(
            replace(kind, rounds=tuple(map(_varied_round, kind.rounds)))
            for kind in scenario.conversations
        ),
        services=tuple(
            replace(service, latency=_varied(service.latency)) for service in scenario.services
        ),
        endpoints={
            kind: replace(endpoint, latency=_varied(endpoint.latency))
            for kind, endpoint in scenario.endpoints.items()
        },
    )


def _varied_round(part: RoundSpec) -> RoundSpec:
    timing = part.timing
    return replace(
        part,
        timing=Timing(
            latency=None if timing.latency is None else _varied(timing.latency),
            ttft=None if timing.ttft is None else _varied(timing.ttft),
            gap=None if timing.gap is None else _varied(timing.gap),
            tokens_per_chunk=timing.tokens_per_chunk,
        ),
        tool_calls=tuple(map(_varied_call, part.tool_calls)),
    )


def _varied_call(call: ToolCallSpec) -> ToolCallSpec:
    return replace(call, latency=_varied(call.latency))


def _varied(latency: Distribution) -> Distribution:
    if not isinstance(latency, Constant) or latency.value == 0:
        return latency
    return Uniform(latency.value * (1 - _VARIES_BY), latency.value * (1 + _VARIES_BY))
