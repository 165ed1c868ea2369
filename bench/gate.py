"""The gate: holds what a cell looks like against its baseline, and says what became worse. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .structure import RoundStructure, Structure


class Verdict(StrEnum):
    """What the gate says of a cell, or of all."""

    HELD = "held"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    Attributes:
        text: What, in words.
        is_worse: Whether it is worse; otherwise it is better.
    """

    text: str
    is_worse: bool


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """What the gate says of one cell.

    Attributes:
        cell: Name of the cell.
        verdict: The verdict.
        changes: What changed, causes first.
        reason: Why it could not be judged, else ``None``.
    """

    cell: str
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate says.

    Attributes:
        verdict: The verdict on all cells.
        cells: Those on each.
        differences: Versions that are not those of the baseline; never worse by themselves.
    """

    verdict: Verdict
    cells: tuple[CellVerdict, ...]
    differences: tuple[str, ...] = ()


def judge(cell: str, before: Structure, after: Structure) -> CellVerdict:
    """Compare exactly: virtual time has no noise, so each difference is one of the code.

    If anything is worse the cell has regressed, whatever is better beside it.
    """
    if (before.ideal_makespan_s, before.ideal_latency_s, before.started) != (
        after.ideal_makespan_s,
        after.ideal_latency_s,
        after.started,
    ):
        return CellVerdict(
            cell,
            Verdict.NOT_JUDGED,
            reason="its workload is not that of the baseline (the script's own ideal differs): "
            "the scenario or what the target declares has changed; write a new baseline",
        )
    changes = tuple(_changes(before, after))
    if any(change.is_worse for change in changes):
        return CellVerdict(cell, Verdict.REGRESSED, changes)
    return CellVerdict(cell, Verdict.IMPROVED if changes else Verdict.HELD, changes)


def overall(verdicts: Iterable[CellVerdict]) -> Verdict:
    """Return the verdict on all cells: the worst of them."""
    found = {each.verdict for each in verdicts}
    order = (Verdict.REGRESSED, Verdict.NOT_JUDGED, Verdict.IMPROVED)
    return next((verdict for verdict in order if verdict in found), Verdict.HELD)


def _changes(before: Structure, after: Structure) -> Iterator[Change]:
    yield from _sessions(before, after)
    yield from _model_calls(before, after)
    yield from _rounds(before.rounds, after.rounds)
    yield from _count("tool call", before.tool_calls, after.tool_calls, before.started)
    # More tools at once are no harm, and come with rounds that overlap better. More calls of
    # the model run into its rate limit.
    yield from _peak("model calls", before.peak_in_flight, after.peak_in_flight)
    yield from _time("makespan", before.makespan_s, after.makespan_s)
    for name in ("p50", "p90", "p95", "p99", "max", "mean"):
        old, new = getattr(before.latency_s, name), getattr(after.latency_s, name)
        if old is not None and new is not None:
            yield from _time(f"latency {name}", old, new)


def _sessions(before: Structure, after: Structure) -> Iterator[Change]:
    if before.succeeded != after.succeeded:
        yield Change(
            f"{after.succeeded} of {after.started} sessions succeed, before {before.succeeded}",
            after.succeeded < before.succeeded,
        )


def _model_calls(before: Structure, after: Structure) -> Iterator[Change]:
    yield from _count("model call", before.model_calls, after.model_calls, before.started)
    old, new = before.repeated_model_calls, after.repeated_model_calls
    if old != new:
        yield Change(f"{new} model calls are repeated, before {old}", new > old)


def _count(what: str, before: int, after: int, sessions: int) -> Iterator[Change]:
    if before == after:
        return
    difference = after - before
    if difference % sessions == 0:
        each = difference // sessions
        plural = "" if abs(each) == 1 else "s"
        text = f"{each:+d} {what}{plural} per session"
    else:
        plural = "" if abs(difference) == 1 else "s"
        text = f"{difference:+d} {what}{plural} in {sessions} sessions"
    yield Change(f"{text} ({before} → {after})", difference > 0)


def _rounds(
    before: Mapping[str, RoundStructure], after: Mapping[str, RoundStructure]
) -> Iterator[Change]:
    for step in sorted(before.keys() & after.keys(), key=int):
        old, new = before[step], after[step]
        if old.span_s == new.span_s or old.calls != new.calls:
            continue
        calls = sum(new.calls.values()) // new.sessions
        span = f"{_seconds(old.span_s)} → {_seconds(new.span_s)}"
        where = f"the {calls} tool calls of round {int(step) + 1}"
        if _overlaps(old) and not _overlaps(new):
            yield Change(f"{where} no longer overlap ({span})", is_worse=True)
        elif _overlaps(new) and not _overlaps(old):
            yield Change(f"{where} overlap now ({span})", is_worse=False)
        else:
            slower = new.span_s > old.span_s
            yield Change(f"{where} take {'longer' if slower else 'less'} ({span})", slower)


def _overlaps(round_: RoundStructure) -> bool:
    # One after another they may take longer still: something may lie between them.
    return round_.span_s < round_.total_s


def _peak(what: str, before: int, after: int) -> Iterator[Change]:
    if after > before:
        yield Change(f"up to {after} {what} at once, before {before}: is a limit lost?", True)


def _time(what: str, before_s: float, after_s: float) -> Iterator[Change]:
    if before_s != after_s:
        by = f" ({after_s / before_s - 1:+.1%})" if before_s else ""
        yield Change(f"{what} {_seconds(before_s)} → {_seconds(after_s)}{by}", after_s > before_s)


def _seconds(value_s: float) -> str:
    return f"{value_s:.3f} s" if value_s < 100 else f"{value_s:.1f} s"  # noqa: PLR2004
