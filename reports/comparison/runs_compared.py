"""Two runs side by side: which cells changed, and whether that is more than their scatter.

A cell is judged by what a run ranks it by: throughput, and in an open loop, where that is what
arrives, latency (see ``ranking``). But first by the sessions that it loses: those that fail
early leave the others more room, and end sooner themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from ...bench.results.cell import IDENTITY
from ...bench.results.records import CellResult, Environment, Run, Status
from ...bench.statistics.intervals import Interval, independent_ratio_interval
from ...bench.statistics.ranking import judged_by, latencies_s, throughputs_per_s
from ...mocks.errors import UsageError

NO_CHANGE = 0.01
"""Share by which a figure may change and count as the same: no choice turns on it."""


class Direction(StrEnum):
    """What became of a figure."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of the later run over that of the earlier.

    Attributes:
        value: The ratio of the medians; ``None`` where one of them is missing or 0.
        interval: Where the true ratio lies with 95 %; ``None`` where there are too few trials.
        more_is_better: Whether a ratio above 1 is good.
    """

    value: float | None
    interval: Interval | None
    more_is_better: bool

    @property
    def direction(self) -> Direction:
        """What became of it: the same if it changed by 1 % at most, or may not have changed."""
        if self.value is None:
            return Direction.UNKNOWN
        if abs(self.value - 1) <= NO_CHANGE:
            return Direction.SAME
        if self.interval is None:
            return Direction.UNKNOWN
        if self.interval.holds(1.0):
            return Direction.SAME
        return Direction.BETTER if (self.value > 1) is self.more_is_better else Direction.WORSE


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell in both runs.

    Attributes:
        before: In the earlier run.
        after: In the later.
        percentile: That of latency by which it is judged; ``None``: by throughput.
        score: The figure that it is judged by: sessions per second, or seconds.
        cpu: CPU time per session.
    """

    before: CellResult
    after: CellResult
    percentile: str | None
    score: Ratio
    cpu: Ratio

    @property
    def is_judged_by_loss(self) -> bool:
        """Whether one run lost sessions of this cell and the other none, or far fewer."""
        before, after = _lost_share(self.before), _lost_share(self.after)
        return before != after and (0 in {before, after} or abs(after - before) > NO_CHANGE)

    @property
    def direction(self) -> Direction:
        """What became of the cell."""
        if not self.is_judged_by_loss:
            return self.score.direction
        loses_more = _lost_share(self.after) > _lost_share(self.before)
        return Direction.WORSE if loses_more else Direction.BETTER


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """A later run against an earlier one.

    Attributes:
        changes: The cells that both have measured, in the earlier one's order.
        only_before: Cells that only the earlier has measured.
        only_after: Cells that only the later has measured.
        environment: What differs in where they were made: name, before, after.
    """

    changes: tuple[CellChange, ...]
    only_before: tuple[CellResult, ...]
    only_after: tuple[CellResult, ...]
    environment: tuple[tuple[str, str, str], ...]


def compare_runs(before: Run, after: Run, match: Sequence[str] = tuple(IDENTITY)) -> RunsCompared:
    """Compare what two runs measured of the same cells.

    Args:
        before: The earlier run.
        after: The later one.
        match: In what two cells must agree to be the same one (see ``IDENTITY``): by default in
            all that was asked for.

    Raises:
        UsageError: Two cells of one run agree in that.
    """
    old, new = _measured(before, match, "first"), _measured(after, match, "second")
    return RunsCompared(
        changes=tuple(_change(cell, new[key]) for key, cell in old.items() if key in new),
        only_before=tuple(cell for key, cell in old.items() if key not in new),
        only_after=tuple(cell for key, cell in new.items() if key not in old),
        environment=_differences(before.environment, after.environment),
    )


def differing(before: Run, after: Run) -> Mapping[str, tuple[str, str]]:
    """Return in what no two cells of two runs agree, by option, with the values of either run."""
    values: dict[str, tuple[set[str], set[str]]] = {
        option: (_values(before, field), _values(after, field))
        for option, field in IDENTITY.items()
    }
    return {
        option: (", ".join(sorted(old)), ", ".join(sorted(new)))
        for option, (old, new) in values.items()
        if old.isdisjoint(new)
    }


def _values(run: Run, field: str) -> set[str]:
    return {str(getattr(result.cell, field)) for result in run.cells}


def _measured(run: Run, match: Sequence[str], which: str) -> dict[tuple[object, ...], CellResult]:
    found: dict[tuple[object, ...], CellResult] = {}
    for result in run.cells:
        if result.status is not Status.MEASURED:
            continue
        other = found.setdefault(
            tuple(getattr(result.cell, IDENTITY[option]) for option in match), result
        )
        if other is not result:
            raise UsageError(
                f"--match {','.join(match)}: {other.cell.full_name} and {result.cell.full_name} of "
                f"the {which} run agree in that; match by more"
            )
    return found


def _change(before: CellResult, after: CellResult) -> CellChange:
    percentile = judged_by(before)
    return CellChange(
        before=before,
        after=after,
        percentile=percentile,
        score=_score(before, after, percentile),
        cpu=Ratio(
            _over(after.cpu_s_per_session, before.cpu_s_per_session),
            _interval(_cpu_s_per_session(after), _cpu_s_per_session(before)),
            more_is_better=False,
        ),
    )


def _score(before: CellResult, after: CellResult, percentile: str | None) -> Ratio:
    if percentile is None:
        value = _over(after.throughput_per_s, before.throughput_per_s)
        interval = _interval(throughputs_per_s(after), throughputs_per_s(before))
    else:
        ours, theirs = (getattr(cell.latency_s, percentile) for cell in (after, before))
        value = _over(ours, theirs)
        interval = _interval(latencies_s(after, percentile), latencies_s(before, percentile))
    if not before.cell.clock.charges_cpu and value is not None:
        interval = Interval(value, value, value)  # it is exact, after one trial as after many
    return Ratio(value, interval, more_is_better=percentile is None)


def _interval(ours: tuple[float, ...], theirs: tuple[float, ...]) -> Interval | None:
    return independent_ratio_interval(ours, theirs) if ours and theirs else None


def _cpu_s_per_session(cell: CellResult) -> tuple[float, ...]:
    return tuple(trial.cpu_s_per_session for trial in cell.trial_figures)


def _over(after: float | None, before: float | None) -> float | None:
    return after / before if after is not None and before else None


def _lost_share(cell: CellResult) -> float:
    counts = cell.sessions
    return 1 - counts.succeeded / counts.started if counts.started else 0.0


def _differences(before: Environment, after: Environment) -> tuple[tuple[str, str, str], ...]:
    old, new = _flat(before), _flat(after)
    names = dict.fromkeys([*old, *new])
    return tuple(
        (name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    )


def _flat(environment: Environment) -> dict[str, str]:
    values = asdict(environment)
    packages: Mapping[str, str] = values.pop("packages")
    plain = {name: "" if value is None else str(value) for name, value in values.items()}
    return plain | dict(packages)
