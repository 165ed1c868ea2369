"""Which tool calls of its script a session left out, and whether it had a reason. Pure.

A target that takes the lab's tools is to run each call of the script. One that it does not run (a
framework that dropped the call, an answer made up) makes the session quicker than it is. It has a
reason to leave a call out if an equal one, of this session or another, had ended by then: its
result may have been kept.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ...mocks.workload.script import SessionScript, ToolCallScript, with_nested
from ..results.formatting import listed, whole

_LONG_AGO_NS = -(1 << 62)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The tool calls that a session did not run.

    Attributes:
        answered: Those that an equal one explains, which had ended.
        unexplained: The others.
    """

    answered: tuple[ToolCallScript, ...] = ()
    unexplained: tuple[ToolCallScript, ...] = ()


What = tuple[str, str]
"""What a tool call asks: the tool's name, and the arguments without the ticket."""


def asked_in(
    sessions: Mapping[int, SessionScript], ended: Iterable[tuple[int, int, int]]
) -> frozenset[What]:
    """Return what was asked in tool calls that came to their end.

    Args:
        sessions: The scripts, also of nested sessions, by number.
        ended: Those calls, by session, step and index.
    """
    calls = (sessions[at[0]].model_calls[at[1]].tool_calls[at[2]] for at in ended)
    return frozenset((call.name, call.arguments) for call in calls)


class ToolsRun:
    """The tool calls that ran in a trial, by their place in the script and by what they ask.

    Args:
        sessions: The scripts of all sessions.
        begun_ns: When each call of a tool began, by session, step and index.
        spans_ns: From when to when each took its time, of those that came to their end.
        before: What was asked before the trial, in its warm-up for instance.
    """

    def __init__(
        self,
        sessions: Iterable[SessionScript],
        begun_ns: Mapping[tuple[int, int, int], int],
        spans_ns: Mapping[tuple[int, int, int], tuple[int, int]],
        before: Iterable[What] = (),
    ) -> None:
        self._begun_ns = begun_ns
        self._first_end_ns = dict.fromkeys(before, _LONG_AGO_NS)
        for session in sessions:
            for part in with_nested(session):
                for at, call in _calls(part):
                    if at in spans_ns:
                        what = (call.name, call.arguments)
                        end_ns = spans_ns[at][1]
                        self._first_end_ns[what] = min(self._first_end_ns.get(what, end_ns), end_ns)

    def left_out(self, script: SessionScript, goes_on_ns: Callable[[int], int]) -> LeftOut:
        """Return the calls that a session left out.

        Args:
            script: The session's.
            goes_on_ns: Returns when it did what follows a model call and its tools, by the
                number of that call.
        """
        answered: list[ToolCallScript] = []
        unexplained: list[ToolCallScript] = []
        for at, call in _calls(script):
            if at in self._begun_ns:
                continue
            end_ns = self._first_end_ns.get((call.name, call.arguments))
            is_known = end_ns is not None and end_ns <= goes_on_ns(at[1])
            (answered if is_known else unexplained).append(call)
        return LeftOut(tuple(answered), tuple(unexplained))


def say_left_out(left_out: Iterable[ToolCallScript], script: SessionScript) -> str:
    """Say which calls were left out, and of how many."""
    by_name = Counter(call.name for call in left_out)
    names = [name if count == 1 else f"{name} ({count} times)" for name, count in by_name.items()]
    of = sum(len(call.tool_calls) for call in script.model_calls)
    return (
        f"did not run {whole(by_name.total())} of the {whole(of)} tool calls of its script: "
        f"{listed(names)}. If that is meant, say optional_tools = true in the scenario"
    )


def _calls(
    script: SessionScript,
) -> Iterable[tuple[tuple[int, int, int], ToolCallScript]]:
    for step, model_call in enumerate(script.model_calls):
        for index, call in enumerate(model_call.tool_calls):
            yield (script.session, step, index), call
