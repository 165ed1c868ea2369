"""Scenarios made of traces: one that replays each row, or one that draws from quantiles."""

import math
from collections.abc import Iterable, Sequence

from .trace import WORK, Trace

_POINTS = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
_MEDIAN = 50
_SIGNIFICANT = 6
_MOST_FITTED_SESSIONS = 1000


def replayed_scenario(trace: Trace, name: str, source: str, recording: str) -> str:
    """Return the TOML of a scenario that replays a trace row by row.

    Args:
        trace: The trace.
        name: Name of the scenario.
        source: What the trace is called.
        recording: Name of the recording's file, beside that of the scenario.
    """
    count = len(trace.sessions)
    tools = "".join(
        f'\n[tools.{tool}]\ndescription = {_quoted(description)}\nkind = "async"\nlatency_s = 0\n'
        for tool, description in sorted(trace.tools.items())
    )
    return (
        f"# Replays {source}: {count} sessions, {len(trace.calls)} model calls.\n\n"
        f"name = {_quoted(name)}\n"
        f"description = {_quoted(f'Replays the sessions of {source}, row by row.')}\n"
        f"sessions = {count}\n"
        f"concurrency = [{count}]\n"
        f"\n[recording]\nfile = {_quoted(recording)}\n{tools}"
    )


def fitted_scenario(trace: Trace, name: str, source: str) -> str:
    """Return the TOML of a scenario that draws from the quantiles of a trace.

    Latencies, tokens and tool times are each drawn on their own, so that long answers also take
    long is not kept. Nested agents count as calls like the others. A call without a latency in the
    trace is left out.
    """
    calls = trace.calls
    ttfts_s = [call.ttft_s for call in calls if call.ttft_s is not None]
    tools_s = [tool.latency_s for call in calls for tool in call.tools if tool.session is None]
    rounds = [len(session.calls) - 1 for session in trace.sessions]
    count = len(trace.sessions)
    model = {
        "latency_s": _distribution(trace.latencies_s),
        "ttft_s": _distribution(ttfts_s) if ttfts_s else "",
        "prompt_tokens": _distribution((call.prompt_tokens for call in calls), whole=True),
        "completion_tokens": _distribution((call.completion_tokens for call in calls), whole=True),
    }
    head = (
        f"# Quantiles of {source}: {count} sessions, {len(calls)} model calls. Each is drawn on\n"
        "# its own: that long answers also take long is not kept.\n\n"
        f"name = {_quoted(name)}\n"
        f"description = {_quoted(f'Sessions with the latencies and tokens of {source}.')}\n"
        f"sessions = {min(count, _MOST_FITTED_SESSIONS)}\n"
        "\n[model]\n" + "".join(f"{key} = {value}\n" for key, value in model.items() if value)
    )
    if not any(rounds):
        return f"{head}\n[[rounds]]\n"
    repeats = _distribution((max(1, count) for count in rounds), whole=True)
    return (
        f'{head}\n[tools.{WORK}]\ndescription = "What the agent did between two answers."\n'
        f'kind = "async"\nlatency_s = {_distribution(tools_s)}\n'
        f'\n[[rounds]]\ntools = [{{ tool = "{WORK}" }}]\nrepeat = {repeats}\n'
        "\n[[rounds]]\n"
    )


def _distribution(values: Iterable[float], *, whole: bool = False) -> str:
    """Return the quantiles for which there are enough values, or the only value."""
    ordered = sorted(values) or [0.0]
    if ordered[0] == ordered[-1]:
        return _number(ordered[0], whole=whole)
    points = (
        point
        for point in _POINTS
        if point <= _MEDIAN or len(ordered) >= round(100 / (100 - point), 6)
    )
    quantiles = ", ".join(
        f"{_key(point)} = {_number(_quantile(ordered, point), whole=whole)}" for point in points
    )
    return f"{{ empirical = {{ {quantiles} }} }}"


def _quantile(ordered: Sequence[float], percent: float) -> float:
    return ordered[max(0, math.ceil(round(len(ordered) * percent / 100, 6)) - 1)]


def _key(percent: float) -> str:
    return f"p{percent:g}" if float(percent).is_integer() else f'"p{percent:g}"'


def _number(value: float, *, whole: bool) -> str:
    return str(round(value)) if whole else f"{value:.{_SIGNIFICANT}g}"


def _quoted(text: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
