"""What sessions with a structure of their own played: any number of conversations. Pure.

Such sessions are held against no script: what they asked is what they did. The calls of one
conversation need each other's answers, so a session takes at least as long as the longest of its
conversations. That is its reference.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...mocks.observe.waits import Wait
from ...mocks.workload.numbers import session_of
from ...mocks.workload.script import ModelCallScript, SessionScript
from ..results.samples import Outcome, SessionSample
from .met import Met, say_left

Calls = Mapping[int, Sequence[tuple[int, int]]]
"""The model calls of each session that it asked for, by number and step, in order."""


def calls_of_sessions(met: Met) -> Calls:
    """Return the model calls that each session asked for and waits for, of all conversations."""
    calls: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, step in sorted(met.asked_ns):
        if (number, step) not in met.follow_ups:
            calls[session_of(number)].append((number, step))
    return calls


def count_calls(sessions: Sequence[SessionScript], calls: Calls, met: Met) -> tuple[int, ...]:
    """Count the model calls of each session: those that it asked for, and further answers."""
    again = Counter(session_of(number) for number, *_ in met.read_again)
    return tuple(len(calls.get(each.session, ())) + again[each.session] for each in sessions)


def checked_as_played(
    sample: SessionSample, calls: Calls, met: Met, noted: Sequence[Wait], *, has_shared: bool
) -> SessionSample:
    """Return the sample, failed if the session did not wait for each answer that it asked for.

    Args:
        sample: The session.
        calls: The model calls of the sessions.
        met: What was met.
        noted: The waits that were noted, of which the left ones are told of.
        has_shared: Whether work that sessions share asked the model, perhaps for this one.
    """
    if sample.outcome is not Outcome.SUCCEEDED:
        return sample
    own = calls.get(sample.session, ())
    if not own and not has_shared:
        error = "the session made no model call"
        return replace(sample, outcome=Outcome.FAILED, error=error)
    end_ns = met.origin_ns + sample.end_ns
    for number, step in own:
        if not met.has_read(number, step, end_ns):
            of = sum(each == number for each, _ in own)
            which = f"model call {step + 1} of {of}"
            latency_ns = met.latencies_ns[number, step]
            told = say_left((number, step), which, latency_ns, end_ns, noted)
            error = f"the session {told or f'went on without an answer to {which}'}"
            return replace(sample, outcome=Outcome.FAILED, error=error)
    return sample


def scripts_as_played(
    sessions: Sequence[SessionScript], samples: Iterable[SessionSample], calls: Calls, met: Met
) -> tuple[SessionScript, ...]:
    """Return as each session's script the longest of its conversations, as it was played.

    The script of one that did not succeed is left as it is.
    """
    succeeded = {each.session for each in samples if each.outcome is Outcome.SUCCEEDED}
    return tuple(
        _as_played(script, calls.get(script.session, ()), met)
        if script.session in succeeded
        else script
        for script in sessions
    )


def calls_answered(
    scripts: Mapping[int, SessionScript], met: Met, until_ns: int
) -> Iterable[ModelCallScript]:
    """Yield all model calls that were answered in whole by then, whosever they are.

    Equal ones, of which each has a latency of its own, count by the shortest.
    """
    first = ((number, step, read_ns) for (number, step), read_ns in met.read_ns.items())
    for number, step, read_ns in (*first, *met.read_again):
        if read_ns <= until_ns:
            yield _call(scripts.get(number), number, step, met.latencies_ns[number, step])


def _as_played(script: SessionScript, calls: Sequence[tuple[int, int]], met: Met) -> SessionScript:
    by_number: defaultdict[int, list[ModelCallScript]] = defaultdict(list)
    for number, step in calls:
        if (number, step) in met.read_ns:
            by_number[number].append(_call(script, number, step, met.latencies_ns[number, step]))
    longest = max(by_number.values(), key=_length_ns, default=[])
    return SessionScript(script.session, tuple(longest))


def _call(script: SessionScript | None, number: int, step: int, latency_ns: int) -> ModelCallScript:
    """Return the script's own call if that was played: it knows its tokens, too."""
    if script is not None and number == script.session and step < len(script.model_calls):
        call = script.model_calls[step]
        if call.latency_ns == latency_ns:
            return call
    return ModelCallScript(latency_ns, prompt_tokens=0, completion_tokens=0, tool_calls=())


def _length_ns(calls: Sequence[ModelCallScript]) -> int:
    return sum(call.latency_ns for call in calls)
