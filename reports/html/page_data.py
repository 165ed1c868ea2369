"""What the page's script draws: the figures of a run as one value that JSON can carry. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from ...bench.results.formatting import name
from ...bench.results.records import CellResult, Run, Status
from ...bench.results.timeline import Timeline, Vitals
from ...bench.statistics.percentiles import percentile, samples_for
from ...mocks.clock import seconds
from ..charts.palette import LANE_COLOURS, PART_COLOURS, loop_lines, on_dark, strategy_colours
from ..comparison.ranking import ComparisonGroup, Series, scenarios
from ..comparison.scaling import fits_well, fitted_law
from ..comparison.time_breakdown import MEANINGS

_DIGITS = 6
_LAW_POINTS = 40
_BEYOND = (99.5, 99.9, 99.95, 99.99, 99.999)
_LANE_MEANINGS = {
    "model": "waiting for the model",
    "tool": "waiting for a tool",
    "tools": "for several tools at a time",
    "own": "its own code",
    "ready": "ready, but loop or interpreter were busy",
    "admission": "waiting for a place",
    "retry": "a failed attempt and the pause after it",
    "other": "waiting for what no mock knows of",
}


def page_data(run: Run) -> str:
    """Return the data of a run's page as JSON that may stand inside a ``script`` element."""
    colours = strategy_colours(result.cell.strategy for result in run.cells)
    data = {
        "parts": [
            {"key": part, "meaning": MEANINGS[part], **_themed(colour)}
            for part, colour in PART_COLOURS.items()
        ],
        "states": [
            {"key": state, "meaning": _LANE_MEANINGS[state], **_themed(colour)}
            for state, colour in LANE_COLOURS.items()
        ],
        "strategies": [
            {"key": name(strategy), **_themed(colours[strategy])}
            for strategy in dict.fromkeys(result.cell.strategy for result in run.cells)
        ],
        "loops": {
            name(loop): list(style.dashes)
            for loop, style in loop_lines(result.cell.loop for result in run.cells).items()
        },
        "scenarios": [
            {
                "name": name(scenario.name),
                "fields": [_field(field) for field in scenario.groups],
            }
            for scenario in scenarios(run)
        ],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    # Inside a script element nothing but its end tag and a comment's begin would be read.
    return text.replace("<", "\\u003c")


def _themed(colour: str) -> dict[str, str]:
    return {"light": colour, "dark": on_dark(colour)}


def _field(field: ComparisonGroup) -> dict[str, Any]:
    return {
        "name": field.name,
        "loads": list(field.loads),
        "ideal": [_short(field.ideal_throughput_per_s(load)) for load in field.loads],
        "series": [_series(series) for series in field.series],
    }


def _series(series: Series) -> dict[str, Any]:
    law = fitted_law(series)
    loads = sorted(result.cell.concurrency for result in series.cells)
    points: list[list[float | None]] = []
    if law is not None and fits_well(law):
        steps = range(_LAW_POINTS + 1)
        spread = loads[-1] / loads[0]
        points = [
            [_short(load), _short(law.throughput_per_s(load))]
            for load in (loads[0] * spread ** (step / _LAW_POINTS) for step in steps)
        ]
    return {
        "label": series.label,
        "strategy": name(series.strategy),
        "loop": name(series.loop),
        "serial": series.serial,
        "law": points,
        "cells": [_cell(result) for result in series.cells if result.status is Status.MEASURED],
    }


def _cell(result: CellResult) -> dict[str, Any]:
    return {
        "load": result.cell.concurrency,
        "per_s": _short(result.throughput_per_s),
        "efficiency": _short(result.efficiency),
        "quantiles": list(_quantiles(result)),
        "parts": {}
        if result.time_parts_s is None
        else {
            part: _short(part_s) for part, part_s in asdict(result.time_parts_s).items() if part_s
        },
        "lag": [] if result.vitals is None else list(_lag(result.vitals)),
        "timeline": None if result.timeline is None else _timeline(result.timeline),
    }


def _quantiles(cell: CellResult) -> Iterator[list[float | None]]:
    """Yield percentages and latencies: the percentiles that the samples carry, and the maximum."""
    for percent, latency_s in enumerate(cell.latency_quantiles_s[:-1]):
        if cell.sessions.started >= samples_for(percent):
            yield [percent, _short(latency_s)]
    pooled_ns = sorted(ns for trial in cell.trial_figures for ns in trial.latency_ns)
    for share in _BEYOND:
        latency_ns = percentile(pooled_ns, share)
        if latency_ns is not None:
            yield [share, _short(seconds(round(latency_ns)))]
    if cell.latency_quantiles_s:
        yield [100, _short(cell.latency_quantiles_s[-1])]


def _lag(vitals: Vitals) -> Iterator[list[float | None]]:
    for at_ns, lag_ns in zip(vitals.at_ns, vitals.loop_lag_ns, strict=True):
        yield [_short(seconds(at_ns)), _short(seconds(lag_ns))]


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        "lanes": [
            {
                "session": lane.session,
                "outcome": lane.outcome.value,
                "segments": [
                    [_short(seconds(begin_ns)), _short(seconds(end_ns)), state.value]
                    for (begin_ns, end_ns), state in zip(
                        pairwise((*lane.from_ns, lane.end_ns)), lane.state, strict=True
                    )
                ],
            }
            for lane in timeline.lanes
        ],
        "blocked": [
            [_short(seconds(each.begin_ns)), _short(seconds(each.end_ns)), name(each.place)]
            for each in timeline.blocked
        ],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
