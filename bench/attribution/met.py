"""What of its script a session met: whether that was all, and what its ideal may count. Pure.

The ideal counts the waits of the script. A session that does not wait for one of them would beat
it, so:

- one that never waits for the end of a model's answer has *failed*: its time says nothing. Another
  attempt at the same call makes up for one that is left: a retry, or the winner of two that raced;
- one that takes the lab's tools and does not run one of them has *failed* too, unless an equal call
  had ended, whose result may have been kept, or the scenario says that tools are optional. Both are
  counted;
- a tool that a session cuts short, or lets run while it goes on, is no fault. Of its time the ideal
  counts what the session was held up by at the most.

What is counted comes from the script. The run says only what of it was met, and the ideal is never
longer than with all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...mocks.observe.waits import Wait, WaitEnding, WaitKind
from ...mocks.workload.ideal import Waits
from ...mocks.workload.script import (
    ModelCallScript,
    SessionScript,
    ToolCallScript,
    with_nested,
)
from ..results.formatting import code_place, seconds
from ..results.samples import Outcome, SessionSample
from ..results.tools_not_run import ToolsNotRun
from .tools_run import LeftOut, ToolsRun, say_left_out

_SECOND_NS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What the sessions of a trial met; times on the clock.

    Attributes:
        asked_ns: As ``Traffic`` has it, as are the next two.
        read_ns: When the answer of each model call was there in whole.
        tool_spans_ns: From when to when the lab's tools took their time.
        latencies_ns: The drawn latency of each model call that was asked for; the shortest of them
            if it was asked for more than once.
        lab_tools_asked: How many calls of the lab's tools each answer asked for, if any.
        read_again: The answers beyond the first of a call: its session, step, when it was there.
        origin_ns: Time on the clock from which samples count.
        follow_ups: The model calls that a service made after the response that its session waits
            for: no session is held to them.
    """

    asked_ns: Mapping[tuple[int, int], int]
    read_ns: Mapping[tuple[int, int], int]
    tool_spans_ns: Mapping[tuple[int, int, int], tuple[int, int]]
    latencies_ns: Mapping[tuple[int, int], int] = field(default_factory=dict)
    lab_tools_asked: Mapping[tuple[int, int], int] = field(default_factory=dict)
    read_again: Sequence[tuple[int, ...]] = ()
    origin_ns: int = 0
    follow_ups: frozenset[tuple[int, int]] = frozenset()

    def goes_on_ns(self, session: int, step: int, end_ns: int) -> int:
        """Return when a session does what follows a model call and its tools, or ends."""
        return min(end_ns, self.asked_ns.get((session, step + 1), end_ns))

    def has_read(self, session: int, step: int, end_ns: int) -> bool:
        """Return whether a session had a model's answer in whole before it went on."""
        read_ns = self.read_ns.get((session, step))
        return read_ns is not None and read_ns <= self.goes_on_ns(session, step, end_ns)

    def has_ended(self, script: SessionScript, by_ns: int) -> bool:
        """Return whether a nested session, with those nested in it, had all its answers by then."""
        return all(
            self.read_ns.get((part.session, step), by_ns + 1) <= by_ns
            for part in with_nested(script)
            for step in range(len(part.model_calls))
        )


def checked(
    sample: SessionSample,
    script: SessionScript,
    waits: Waits,
    met: Met,
    noted: Iterable[Wait],
    *,
    tools: ToolsRun | None = None,
) -> SessionSample:
    """Return the sample, failed if the session did not do what its script asks for.

    It has to wait for each of the model's answers, and to run the tools that these ask for.

    Args:
        sample: The session.
        script: Its script.
        waits: Which waits of the script count.
        met: What was met.
        noted: The waits that were noted, of which the left ones are told of.
        tools: The tool calls that ran, if all of the script's are to.
    """
    if sample.outcome is not Outcome.SUCCEEDED:
        return sample
    end_ns = met.origin_ns + sample.end_ns
    for part in _parts_that_count(script, waits):
        expected = 1 if waits is Waits.FIRST_CALL else len(part.model_calls)
        for step in range(expected):
            if not met.has_read(part.session, step, end_ns):
                which = _which(part, script)
                told = _left(part, step, expected, end_ns, noted)
                answered = f"ended after {step} of {expected} model calls"
                error = f"{which} {told or answered}"
                return replace(sample, outcome=Outcome.FAILED, error=error)
    return sample if tools is None else checked_tools(sample, script, waits, met, tools)


def checked_tools(
    sample: SessionSample, script: SessionScript, waits: Waits, met: Met, tools: ToolsRun
) -> SessionSample:
    """Return the sample, failed if the session left out a tool call of its script for no reason."""
    if sample.outcome is not Outcome.SUCCEEDED:
        return sample
    end_ns = met.origin_ns + sample.end_ns
    for part in _parts_that_count(script, waits):
        left_out = _left_out(part, tools, met, end_ns)
        if left_out.unexplained:
            error = f"{_which(part, script)} {say_left_out(left_out.unexplained, part)}"
            return replace(sample, outcome=Outcome.FAILED, error=error)
    return sample


def tools_not_run(
    samples: Iterable[SessionSample],
    sessions: Mapping[int, SessionScript],
    waits: Waits,
    met: Met,
    tools: ToolsRun,
) -> ToolsNotRun:
    """Count the tool calls that sessions left out, and that made none of them fail.

    Args:
        samples: The sessions, failed if they did not do what their scripts ask for.
        sessions: Their scripts, by number.
        waits: Which waits of the scripts count.
        met: What was met.
        tools: The tool calls that ran.
    """
    answered, optional = [], []
    for sample in samples:
        if sample.outcome is not Outcome.SUCCEEDED:
            continue
        script, end_ns = sessions[sample.session], met.origin_ns + sample.end_ns
        found = [_left_out(part, tools, met, end_ns) for part in _parts_that_count(script, waits)]
        answered.append(sum(len(each.answered) for each in found))
        optional.append(sum(len(each.unexplained) for each in found))
    return ToolsNotRun(
        answered=sum(answered),
        answered_sessions=sum(map(bool, answered)),
        optional=sum(optional),
        optional_sessions=sum(map(bool, optional)),
    )


def _parts_that_count(script: SessionScript, waits: Waits) -> Iterable[SessionScript]:
    return with_nested(script) if waits is Waits.ALL else (script,)


def _left_out(script: SessionScript, tools: ToolsRun, met: Met, end_ns: int) -> LeftOut:
    return tools.left_out(script, lambda step: met.goes_on_ns(script.session, step, end_ns))


def _which(part: SessionScript, script: SessionScript) -> str:
    return "the session" if part is script else "a session nested in it"


def _left(
    script: SessionScript, step: int, expected: int, end_ns: int, noted: Iterable[Wait]
) -> str | None:
    """Say how the last attempt at a model call was left, if it was."""
    latency_ns = script.model_calls[step].latency_ns
    which = f"model call {step + 1} of {expected}"
    return say_left((script.session, step), which, latency_ns, end_ns, noted)


def say_left(
    at: tuple[int, int], which: str, latency_ns: int, end_ns: int, noted: Iterable[Wait]
) -> str | None:
    """Say how the last attempt at a model call was left, if it was.

    Args:
        at: Number and step of the call.
        which: Which call it is, in words.
        latency_ns: Its drawn latency.
        end_ns: When its session ended, on the clock.
        noted: The waits that were noted.
    """
    attempts = [
        each for each in noted if each.kind is WaitKind.MODEL and (each.session, each.step) == at
    ]
    last = max(attempts, key=lambda each: each.start_ns, default=None)
    if last is None or last.ending is WaitEnding.FAILED:
        return None
    left_ns = min(last.end_ns, end_ns) - last.start_ns
    after = f"{which} after {seconds(left_ns / _SECOND_NS)} of {seconds(latency_ns / _SECOND_NS)}"
    if not last.streamed:
        where = f" ({code_place(last.place)})" if last.place else ""
        return f"did not wait for the reply to {after}{where}"
    is_closed = last.ending is WaitEnding.LEFT and last.end_ns <= end_ns
    how = "it was closed early" if is_closed else "it was never closed"
    where = f", opened at {code_place(last.place)}" if last.place else ""
    return f"left the stream of {after}: {how}{where}"


def script_met(
    sessions: Sequence[SessionScript], samples: Iterable[SessionSample], met: Met
) -> tuple[SessionScript, ...]:
    """Return the scripts with no more of each tool's time than held its session up.

    Args:
        sessions: The scripts.
        samples: The sessions; the script of one that did not succeed is left as it is.
        met: What was met.
    """
    ends_ns = {
        sample.session: met.origin_ns + sample.end_ns
        for sample in samples
        if sample.outcome is Outcome.SUCCEEDED
    }
    return tuple(
        _session_met(session, met, ends_ns[session.session])
        if session.session in ends_ns
        else session
        for session in sessions
    )


def _session_met(script: SessionScript, met: Met, end_ns: int) -> SessionScript:
    calls = tuple(
        _call_met(call, script.session, step, met, end_ns)
        for step, call in enumerate(script.model_calls)
    )
    # Equal ones are kept: most are, and copies of all take as long as the rest of it.
    return script if calls == script.model_calls else replace(script, model_calls=calls)


def _call_met(
    call: ModelCallScript, session: int, step: int, met: Met, end_ns: int
) -> ModelCallScript:
    read_ns = met.read_ns.get((session, step), 0)
    goes_on_ns = met.goes_on_ns(session, step, end_ns)

    def tool_met(index: int, tool: ToolCallScript) -> ToolCallScript:
        begin_ns, done_ns = met.tool_spans_ns.get((session, step, index), (0, 0))
        held_up_ns = min(done_ns, goes_on_ns) - max(begin_ns, read_ns)
        nested = None
        if tool.session is not None and met.has_ended(tool.session, goes_on_ns):
            nested = _session_met(tool.session, met, goes_on_ns)
        latency_ns = max(0, min(tool.latency_ns, held_up_ns))
        if latency_ns == tool.latency_ns and nested is tool.session:
            return tool
        return replace(tool, latency_ns=latency_ns, session=nested)

    tools = tuple(tool_met(index, tool) for index, tool in enumerate(call.tool_calls))
    latency_ns = min(call.latency_ns, met.latencies_ns.get((session, step), call.latency_ns))
    if tools == call.tool_calls and latency_ns == call.latency_ns:
        return call
    return replace(call, tool_calls=tools, latency_ns=latency_ns)
