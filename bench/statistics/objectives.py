"""Service-level objectives: how they are written, which cells meet them, and goodput. Pure.

A cell meets an objective such as ``p99=2s`` if the figure is within its limit, over all samples of
the cell, and no session was lost. It meets several if it meets each of them.

Goodput is counted by sessions, as DistServe (Zhong et al., 2024) counts it by requests: the
sessions a second that succeeded and were themselves within every limit, whichever percentile that
limit is for. Of a session with several streamed calls the longest time counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import median

from ...mocks.clock import nanoseconds
from ...mocks.errors import UsageError
from ..results.durations import parse_duration_s
from ..results.metrics import Metric
from ..results.records import CellResult, LatencySummary, Status, TrialFigures
from ..results.samples import Outcome
from ..results.verdict import ObjectiveVerdict
from .percentiles import PERCENTILES, samples_for

_FIGURES = tuple(figure.name for figure in fields(LatencySummary))
_PREFIXED = tuple(metric for metric in Metric if metric is not Metric.LATENCY)


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles of the times that an objective can be about, by the names of ``Metric``."""

    latency_s: LatencySummary
    ttft_s: LatencySummary
    itl_s: LatencySummary
    first_output_s: LatencySummary


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective: ``p99=2s``, ``ttft_p95=800ms``.

    Attributes:
        figure: Which figure of ``LatencySummary``.
        limit_s: What it may be at most, in seconds.
        metric: Of which times.
    """

    figure: str
    limit_s: float
    metric: Metric = Metric.LATENCY

    @property
    def samples(self) -> int:
        """How many samples the figure takes at least."""
        return samples_for(PERCENTILES.get(self.figure, 0))

    @property
    def sessions(self) -> int:
        """How many sessions it takes at least: one may have any number of model calls."""
        return self.samples if self.metric.is_of_sessions else 1

    def reached_s(self, figures: CellResult | Times) -> float | None:
        """Return the figure, in seconds; ``None`` where there are too few samples for it.

        Args:
            figures: The percentiles.
        """
        reached_s: float | None = getattr(getattr(figures, f"{self.metric}_s"), self.figure)
        return reached_s

    def verdict_on(
        self, figures: CellResult | Times, *, succeeded: int, started: int
    ) -> ObjectiveVerdict:
        """Judge sessions by their figures: each must have succeeded, too.

        Args:
            figures: As in ``reached_s``.
            succeeded: Sessions that succeeded.
            started: Sessions that were started.
        """
        reached_s = self.reached_s(figures)
        return ObjectiveVerdict(
            figure=self.figure,
            metric=self.metric,
            limit_s=self.limit_s,
            reached_s=reached_s,
            samples=self.samples,
            succeeded=succeeded,
            started=started,
            is_met=succeeded == started and reached_s is not None and reached_s <= self.limit_s,
        )


@dataclass(frozen=True, slots=True)
class Objectives:
    """The objectives that are to be met together, at least one."""

    each: tuple[Objective, ...]

    @property
    def samples(self) -> int:
        """How many samples their figures take at least."""
        return max(one.samples for one in self.each)

    def verdicts_on(
        self, figures: CellResult | Times, *, succeeded: int, started: int
    ) -> tuple[ObjectiveVerdict, ...]:
        """Judge sessions by each of them; see ``Objective.verdict_on``."""
        return tuple(
            one.verdict_on(figures, succeeded=succeeded, started=started) for one in self.each
        )

    def are_met_by(self, cell: CellResult) -> bool:
        """Whether a cell meets all of them, and loses no session."""
        counts = cell.sessions
        found = self.verdicts_on(cell, succeeded=counts.succeeded, started=counts.started)
        return all(verdict.is_met for verdict in found)

    def first_unreported(self, cells: Iterable[CellResult]) -> Objective | None:
        """Return the first objective that no cell has the samples for, if there is one."""
        measured = tuple(cells)
        return next(
            (one for one in self.each if all(one.reached_s(cell) is None for cell in measured)),
            None,
        )

    def goodput_per_s(self, cell: CellResult) -> float | None:
        """Return the goodput of a cell, the median over its trials.

        Returns:
            Sessions a second; ``None`` if the trials are not known by their sessions.
        """
        trials = [each for each in cell.trial_figures if each.makespan_s > 0 and each.outcome]
        if cell.status is not Status.MEASURED or not trials:
            return None
        return median(self._good_sessions(trial) / trial.makespan_s for trial in trials)

    def _good_sessions(self, trial: TrialFigures) -> int:
        limits = [
            (_column(trial, one.metric), _least(one.metric), nanoseconds(one.limit_s))
            for one in self.each
        ]
        has_stream = trial.longest_ttft_ns
        needs_stream = any(not one.metric.is_of_sessions for one in self.each)
        return sum(
            outcome is Outcome.SUCCEEDED
            and (not needs_stream or (bool(has_stream) and has_stream[at] >= 0))
            and all(
                least_ns <= (column[at] if column else -1) <= limit_ns
                for column, least_ns, limit_ns in limits
            )
            for at, outcome in enumerate(trial.outcome)
        )


def _column(trial: TrialFigures, metric: Metric) -> tuple[int, ...]:
    match metric:
        case Metric.LATENCY:
            return trial.latency_ns
        case Metric.TTFT:
            return trial.longest_ttft_ns
        case Metric.ITL:
            return trial.longest_gap_ns
        case Metric.FIRST_OUTPUT:
            return trial.first_output_ns


def _least(metric: Metric) -> int:
    """Return the least time that counts: streams of one piece each have no gap to be too long."""
    return -1 if metric is Metric.ITL else 0


def parse_objectives(text: str) -> Objectives:
    """Read objectives as people write them: ``ttft_p95=800ms,p99=10s``.

    Raises:
        ValueError: They are none, or two are about one figure.
    """
    found = tuple(map(_parse_objective, text.split(",")))
    for at, one in enumerate(found):
        if any((one.metric, one.figure) == (each.metric, each.figure) for each in found[:at]):
            raise ValueError(f"{text!r}: expected one limit for each figure, found two")
    return Objectives(found)


def _parse_objective(text: str) -> Objective:
    name, _, limit = text.strip().partition("=")
    metric = next((each for each in _PREFIXED if name.startswith(f"{each}_")), Metric.LATENCY)
    figure = name if metric is Metric.LATENCY else name.removeprefix(f"{metric}_")
    if figure not in _FIGURES:
        prefixes = [f"{each}_" for each in _PREFIXED]
        raise ValueError(
            f"{text!r}: expected FIGURE=TIME such as p99=2s or ttft_p95=800ms; figures: "
            f"{', '.join(_FIGURES)}, of latency or after {', '.join(prefixes)}"
        )
    return Objective(figure, parse_duration_s(limit), metric)


def recorded_objectives(text: str) -> Objectives:
    """Read the objectives of a run. Older ones hold bare numbers, which were seconds.

    Raises:
        UsageError: They are none.
    """
    try:
        return parse_objectives(f"{text}s" if text[-1:].isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"--slo {error}") from None


def fastest_within(cells: Iterable[CellResult], objectives: Objectives) -> CellResult | None:
    """Return the cell of the highest throughput that meets objectives, as measured; or ``None``."""
    met = [cell for cell in cells if cell.status is Status.MEASURED and objectives.are_met_by(cell)]
    return max(met, key=lambda cell: cell.achieved_per_s, default=None)
