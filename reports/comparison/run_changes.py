"""Two runs compared, in rows of text and in sentences: every word of `compare` stands here."""

from collections import Counter
from collections.abc import Sequence

from ...bench.results.cell import IDENTITY
from ...bench.results.formatting import (
    DASH,
    counted,
    listed,
    name,
    plain,
    rate,
    seconds,
    whole,
)
from ...bench.results.records import CellResult
from .runs_compared import CellChange, Direction, Ratio, RunsCompared

HEADINGS = ("cell", "before", "after", "ratio", "95 % CI", "p99", "CPU/session", "change")


_MARKS = {
    Direction.BETTER: "▲ better",
    Direction.WORSE: "▼ worse",
    Direction.SAME: "= not significant",
    Direction.UNKNOWN: "? too few trials",
}


# One cell, several cells: judged by throughput, then by latency.
_VERBS: dict[Direction, tuple[tuple[str, str], tuple[str, str]]] = {
    Direction.BETTER: (
        ("has higher throughput", "have higher throughput"),
        ("has lower latency", "have lower latency"),
    ),
    Direction.WORSE: (
        ("has lower throughput", "have lower throughput"),
        ("has higher latency", "have higher latency"),
    ),
    Direction.SAME: (("shows no significant change", "show no significant change"),) * 2,
    Direction.UNKNOWN: (("has too few trials", "have too few trials"),) * 2,
}


_LOSSES: dict[Direction, tuple[str, str]] = {
    Direction.BETTER: ("loses fewer sessions", "lose fewer sessions"),
    Direction.WORSE: ("loses more sessions", "lose more sessions"),
}


def rows(compared: RunsCompared) -> list[tuple[str, ...]]:
    """Return the table's rows of text, a cell each, under ``HEADINGS``."""
    return [_row(change) for change in compared.changes]


def summary(compared: RunsCompared) -> list[str]:
    """Return sentences on what changed, what cannot be compared, and what else differs."""
    sentences = []
    if not compared.changes:
        sentences.append("No cell was measured in both runs.")
    else:
        counts = Counter(_verbs(change) for change in compared.changes)
        parts = [
            f"{counted(counts[one, many], 'cell')} {one if counts[one, many] == 1 else many}"
            for one, many in _IN_ORDER
            if (one, many) in counts
        ]
        sentences.append(f"{listed(parts)}.")
    for cells, which in ((compared.only_before, "first"), (compared.only_after, "second")):
        if cells:
            sentences.append(f"Only in the {which} run: {_names(cells)}.")
    if compared.environment:
        differences = [
            f"{plain(what)} {plain(before) or DASH} → {plain(after) or DASH}"
            for what, before, after in compared.environment
        ]
        sentences.append(f"The environments differ: {listed(differences)}.")
    return sentences


_MOST_NAMED = 6


_IN_ORDER = tuple(
    dict.fromkeys([*_LOSSES.values(), *(verbs for both in _VERBS.values() for verbs in both)])
)


def _verbs(change: CellChange) -> tuple[str, str]:
    if change.is_judged_by_loss:
        return _LOSSES[change.direction]
    by_throughput, by_latency = _VERBS[change.direction]
    return by_throughput if change.percentile is None else by_latency


def _row(change: CellChange) -> tuple[str, ...]:
    before, after = change.before, change.after
    return (
        _name_of_both(before, after),
        _score(before, change.percentile),
        _score(after, change.percentile),
        _times(change.score),
        _range(change.score),
        f"{seconds(before.latency_s.p99)} → {seconds(after.latency_s.p99)}",
        f"{_times(change.cpu)} {_MARKS[change.cpu.direction].partition(' ')[0]}",
        _MARKS[change.direction],
    )


def _score(cell: CellResult, percentile: str | None) -> str:
    figure = (
        rate(cell.throughput_per_s)
        if percentile is None
        else f"{percentile} {seconds(getattr(cell.latency_s, percentile))}"
    )
    lost = cell.sessions.started - cell.sessions.succeeded
    return f"{figure}, {whole(lost)} lost" if lost else figure


def _times(ratio: Ratio) -> str:
    return DASH if ratio.value is None else f"{ratio.value:.3f}"


def _range(ratio: Ratio) -> str:
    interval = ratio.interval
    return DASH if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"


def _names(cells: Sequence[CellResult]) -> str:
    named = [_name(cell) for cell in cells[:_MOST_NAMED]]
    if len(cells) > _MOST_NAMED:
        named.append(f"{len(cells) - _MOST_NAMED} more")
    return listed(named)


def _name_of_both(before: CellResult, after: CellResult) -> str:
    """Name a cell, and what it is in the other run where they differ in more than the run."""
    changed = [
        plain(str(getattr(after.cell, field)))
        for field in IDENTITY.values()
        if getattr(before.cell, field) != getattr(after.cell, field)
    ]
    return " → ".join([_name(before), *([", ".join(changed)] if changed else [])])


def _name(result: CellResult) -> str:
    return " ".join([plain(result.cell.name), *map(name, result.cell.unusual.values())])
