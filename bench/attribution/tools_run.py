"""Which tool calls of its script a session left out without a reason. Pure.

A target that takes the lab's tools is asked for each of them by the model. One that it does not run
(a framework that dropped the call, an answer made up) makes the session quicker than it is. It
has a reason to leave a call out if an equal one ran earlier, in this session or in another: its
result may have been kept.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from ...mocks.workload.script import SessionScript, ToolCallScript, with_nested
from ..results.formatting import listed, whole


class ToolsRun:
    """The tool calls that ran in a trial, by their place in the script and by what they ask.

    Args:
        sessions: The scripts of all sessions.
        begun_ns: When each call of a tool began, by session, step and index.
    """

    def __init__(
        self, sessions: Iterable[SessionScript], begun_ns: Mapping[tuple[int, int, int], int]
    ) -> None:
        self._begun_ns = begun_ns
        self._first_ns: dict[tuple[str, str], int] = {}
        for session in sessions:
            for part in with_nested(session):
                for at, call in _calls(part):
                    if at in begun_ns:
                        what = (call.name, call.arguments)
                        earliest_ns = self._first_ns.get(what, begun_ns[at])
                        self._first_ns[what] = min(earliest_ns, begun_ns[at])

    def left_out(self, script: SessionScript, end_ns: int) -> tuple[ToolCallScript, ...]:
        """Return the calls that a session left out, and that no equal one explains.

        Args:
            script: The session's.
            end_ns: When it ended, on the clock.
        """
        return tuple(
            call
            for at, call in _calls(script)
            if at not in self._begun_ns
            and self._first_ns.get((call.name, call.arguments), end_ns) >= end_ns
        )


def say_left_out(left_out: Iterable[ToolCallScript], script: SessionScript) -> str:
    """Say which calls were left out, and of how many."""
    by_name = Counter(call.name for call in left_out)
    names = [name if count == 1 else f"{name} ({count} times)" for name, count in by_name.items()]
    of = sum(len(call.tool_calls) for call in script.model_calls)
    return (
        f"did not run {whole(by_name.total())} of the {whole(of)} tool calls that the model asked "
        f"for: {listed(names)}. If that is meant, say optional_tools = true in the scenario"
    )


def _calls(
    script: SessionScript,
) -> Iterable[tuple[tuple[int, int, int], ToolCallScript]]:
    for step, model_call in enumerate(script.model_calls):
        for index, call in enumerate(model_call.tool_calls):
            yield (script.session, step, index), call
