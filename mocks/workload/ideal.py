"""The ideal: what a costless scheduler would reach on a script, the oracle of every result.

The ideal is computed from the script, and nothing that is measured may beat it: an efficiency above
1 is a bug of the lab. So wherever the truth is a bound, it is the lower one, and divisions round
down. The one thing that may come from a run is what a target's own tools take at least in each of
its sessions: no script has that, and it is never more than what the session took for them.

**A session.** Its model calls follow one another. The tools of one answer overlap, so a
round takes as long as its longest tool; a tool that is a nested agent takes as long as that
agent's session. Faults cost the ideal nothing, and where one alters an answer so that its
tools are not called, they do not count. Computing overlaps only as far as there are cores:
all the computing of a round takes at least its sum over the cores.

**Many sessions**, at most N at a time, started in the script's order. The ideal starts each
one as soon as fewer than N are in flight, and lets it take its critical path. No run that
keeps the order and the limit ends earlier, by induction over the sessions: session i starts
when i - N + 1 of those before it have ended, so not before the (i - N + 1)-th smallest of
their ends. A real session takes at least its critical path; if none of the earlier ends lies
before its ideal, neither does that order statistic, nor this start, nor this end. The same
argument shows the makespan monotone: it never falls when a session takes longer or one is
added at the end, and never rises when N or the cores grow. (Graham's anomalies, where it
does, need sessions that wait for each other.) It does *not* hold for a strategy that picks
the order: starting the longest first can end before this ideal. No strategy here does.

In an open loop a session starts no earlier than it arrives, and the same argument holds.

And since the sessions compute on the same cores, no run is shorter than all their computing
over the cores. Nor is it shorter than what the model's server takes: all its answers over as many
as it serves at one time, and the time until a rate limit has let the last of them through.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from heapq import heappush, heapreplace
from types import MappingProxyType

from ..scenario import NO_LIMITS, ModelLimits
from .script import ModelCallScript, Script, SessionScript, ToolCallScript, ToolKind, with_nested

_MINUTE_NS = 60_000_000_000

NO_OWN_TOOLS: Mapping[int, int] = MappingProxyType({})
"""Where nothing is known of tools of the target's own."""


class Waits(StrEnum):
    """Which waits of the script a target meets: declared by the target, not guessed."""

    ALL = "all"
    """The target uses the lab's tools: waits for the model and for tools."""

    MODEL = "model"
    """The target has tools of its own: waits for the model."""

    FIRST_CALL = "first_call"
    """The target declares no tools, so the first answer is the last: the first wait."""


def ideal_latencies_ns(
    script: Script, waits: Waits, cores: int, own_tools_ns: Mapping[int, int] = NO_OWN_TOOLS
) -> tuple[int, ...]:
    """The critical path of each session, in the script's order, in nanoseconds.

    Args:
        script: The drawn scenario.
        waits: Which waits count.
        cores: Cores that the trial can compute on at one time; with a GIL that is 1 per
            process. More than there really are is safe, and less tight.
        own_tools_ns: What the tools of the target's own take at least in a session, by its number:
            observed, since no script has it.

    Raises:
        ValueError: ``cores`` is not positive.
    """
    _require_positive("cores", cores)
    return tuple(
        _critical_path_ns(session, waits, cores) + own_tools_ns.get(session.session, 0)
        for session in script.sessions
    )


def ideal_makespan_ns(
    script: Script,
    waits: Waits,
    cores: int,
    concurrency: int,
    arrivals_ns: Sequence[int] | None = None,
    *,
    own_tools_ns: Mapping[int, int] = NO_OWN_TOOLS,
) -> int:
    """The least time from the first start to the last end, in nanoseconds; 0 for no session.

    Args:
        script: The drawn scenario.
        waits: Which waits count.
        cores: As for ``ideal_latencies_ns``.
        concurrency: Sessions in flight at most.
        arrivals_ns: When each session arrives, ascending; ``None``: all at the start.
        own_tools_ns: As for ``ideal_latencies_ns``.

    Raises:
        ValueError: ``cores`` or ``concurrency`` is not positive.
    """
    _require_positive("concurrency", concurrency)
    latencies_ns = ideal_latencies_ns(script, waits, cores, own_tools_ns)
    computing_ns = sum(_computing_ns(session, waits) for session in script.sessions)
    return max(
        first_in_first_out_ns(latencies_ns, concurrency, arrivals_ns),
        computing_ns // cores,
        serving_ns(_all_calls_made(script, waits), script.limits),
    )


def serving_ns(made: Iterable[ModelCallScript], limits: ModelLimits) -> int:
    """Return the least time that the model's server needs for calls, in nanoseconds.

    Args:
        made: The calls.
        limits: What the server lets through.
    """
    if limits == NO_LIMITS:
        return 0
    calls = list(made)
    bounds_ns = [0]
    if limits.concurrency is not None:
        bounds_ns.append(sum(call.latency_ns for call in calls) // limits.concurrency)
    if limits.requests_per_minute is not None:
        bounds_ns.append(_let_through_ns(len(calls), limits.requests_per_minute))
    if limits.tokens_per_minute is not None:
        limit = limits.tokens_per_minute
        # A call above a minute's worth takes the whole bucket.
        tokens = (min(call.prompt_tokens + call.completion_tokens, limit) for call in calls)
        bounds_ns.append(_let_through_ns(sum(tokens), limit))
    return max(bounds_ns)


def _let_through_ns(amount: int, per_minute: int) -> int:
    """Return when a limit, which starts with a minute's worth, has admitted an amount."""
    return max(0, amount - per_minute) * _MINUTE_NS // per_minute


def _all_calls_made(script: Script, waits: Waits) -> Iterable[ModelCallScript]:
    sessions = (*script.sessions, *script.beside)
    return (call for session in sessions for call in _calls_made(session, waits))


def _calls_made(session: SessionScript, waits: Waits) -> Iterable[ModelCallScript]:
    if waits is Waits.FIRST_CALL:
        return session.model_calls[:1]
    if waits is Waits.MODEL:
        return session.model_calls
    return (call for part in with_nested(session) for call in part.model_calls)


def _critical_path_ns(session: SessionScript, waits: Waits, cores: int) -> int:
    if waits is Waits.FIRST_CALL:
        return session.model_calls[0].latency_ns
    model_ns = sum(call.latency_ns for call in session.model_calls)
    if waits is Waits.MODEL:
        return model_ns
    return model_ns + sum(tools_ns(call, cores) for call in session.model_calls)


def tools_ns(call: ModelCallScript, cores: int) -> int:
    """The least time for the tools of an answer: the longest, or all computing over the cores."""
    if not call.calls_its_tools:
        return 0
    longest_ns = max((_tool_ns(tool, cores) for tool in call.tool_calls), default=0)
    computing_ns = sum(tool.latency_ns for tool in _computing(call.tool_calls))
    return max(longest_ns, computing_ns // cores)


def _tool_ns(tool: ToolCallScript, cores: int) -> int:
    nested_ns = 0 if tool.session is None else _critical_path_ns(tool.session, Waits.ALL, cores)
    return tool.latency_ns + nested_ns


def _computing_ns(session: SessionScript, waits: Waits) -> int:
    if waits is not Waits.ALL:
        return 0
    tools = (
        tool
        for part in with_nested(session)
        for call in part.model_calls
        if call.calls_its_tools
        for tool in _computing(call.tool_calls)
    )
    return sum(tool.latency_ns for tool in tools)


def _computing(tools: Iterable[ToolCallScript]) -> Iterable[ToolCallScript]:
    return (tool for tool in tools if tool.kind is ToolKind.CPU)


def first_in_first_out_ns(
    latencies_ns: Sequence[int], concurrency: int, arrivals_ns: Sequence[int] | None
) -> int:
    """Return the end of the last session, if each one gets the slot that is free first.

    Args:
        latencies_ns: What each session takes, in the order in which they start.
        concurrency: The slots.
        arrivals_ns: As for ``ideal_makespan_ns``.
    """
    ends_ns: list[int] = []
    arrivals_ns = arrivals_ns or [0] * len(latencies_ns)
    for latency_ns, arrival_ns in zip(latencies_ns, arrivals_ns, strict=True):
        if len(ends_ns) < concurrency:
            heappush(ends_ns, arrival_ns + latency_ns)
        else:
            heapreplace(ends_ns, max(arrival_ns, ends_ns[0]) + latency_ns)
    return max(ends_ns, default=0)


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"expected {name} of at least 1, found {value}")
