"""Objectives, and whether they are met, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from ...bench.results.formatting import counted, distinct_seconds, listed, seconds, whole
from ...bench.results.metrics import Metric
from ...bench.results.verdict import ObjectiveVerdict
from ...bench.statistics.objectives import Objectives

METRICS: Mapping[Metric, str] = MappingProxyType(
    {
        Metric.LATENCY: "latency",
        Metric.TTFT: "TTFT",
        Metric.ITL: "ITL",
        Metric.FIRST_OUTPUT: "first output",
    }
)
"""The times that are measured, as they are shown."""

_SAMPLES: Mapping[Metric, tuple[str, str]] = MappingProxyType(
    {
        Metric.LATENCY: ("session", "sessions"),
        Metric.TTFT: ("streamed model call", "streamed model calls"),
        Metric.ITL: ("gap between tokens", "gaps between tokens"),
        Metric.FIRST_OUTPUT: ("session that yields output", "sessions that yield output"),
    }
)


class _Figure(Protocol):
    @property
    def metric(self) -> Metric: ...

    @property
    def figure(self) -> str: ...

    @property
    def samples(self) -> int: ...


def figure_text(objective: _Figure) -> str:
    """Name the figure of an objective: ``p99``, which is of latency, or ``TTFT p95``."""
    if objective.metric is Metric.LATENCY:
        return objective.figure
    return _whole_figure_text(objective)


def _whole_figure_text(objective: _Figure) -> str:
    return f"{METRICS[objective.metric]} {objective.figure}"


def objectives_text(objectives: Objectives) -> str:
    """Name objectives with their limits: ``TTFT p95 ≤ 800 ms and latency p99 ≤ 10.0 s``."""
    is_latency_alone = all(each.metric is Metric.LATENCY for each in objectives.each)
    named = figure_text if is_latency_alone else _whole_figure_text
    return listed([f"{named(each)} ≤ {seconds(each.limit_s)}" for each in objectives.each])


def samples_text(objective: _Figure) -> str:
    """Say how many samples the figure of an objective takes: ``100 sessions``."""
    one, many = _SAMPLES[objective.metric]
    return counted(objective.samples, one, plural=many)


def too_few_text(objective: _Figure) -> str:
    """Say what there is too little of for the figure of an objective, and how much it takes."""
    _, many = _SAMPLES[objective.metric]
    figure = figure_text(objective)
    return f"not enough {many} (a {figure} needs {samples_text(objective)})"


def objective_text(objective: ObjectiveVerdict) -> str:
    """Return in words whether sessions meet an objective."""
    figure = _whole_figure_text(objective)
    limit = seconds(objective.limit_s)
    if objective.succeeded < objective.started:
        of = counted(objective.started, "session")
        return (
            f"{whole(objective.succeeded)} of {of} succeeded; the objective ({figure} of "
            f"{limit}) needs all of them"
        )
    if objective.reached_s is None:
        return (
            f"could not judge the objective ({figure} of {limit}): it takes "
            f"{samples_text(objective)}"
        )
    reached, limit = distinct_seconds(objective.reached_s, objective.limit_s)
    verb = "meets" if objective.is_met else "misses"
    return f"{figure} of {reached} {verb} the objective of {limit}"
