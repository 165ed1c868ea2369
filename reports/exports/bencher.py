"""The Bencher Metric Format: benchmarks, their measures, each with a value and its spread."""

import json
from itertools import product

from ...bench.results.metrics import Metric
from ...bench.results.records import CellResult, Run
from ...bench.statistics.percentiles import PERCENTILES
from .measured import measured_cells


def render(run: Run) -> str:
    """Return a run; values are medians over the trials, the bounds their least and greatest."""
    return json.dumps({name: _measures(cell) for name, cell in measured_cells(run)}, indent=2)


def _measures(cell: CellResult) -> dict[str, dict[str, float]]:
    measures = {}
    for slug, value, attribute in (
        ("makespan-s", cell.makespan_s, "makespan_s"),
        ("throughput-per-s", cell.throughput_per_s, "throughput_per_s"),
        ("cpu-s-per-session", cell.cpu_s_per_session, "cpu_s_per_session"),
    ):
        over_trials = [getattr(trial, attribute) for trial in cell.trial_figures]
        if value is not None:
            bounds = {"lower_value": min(over_trials), "upper_value": max(over_trials)}
            measures[slug] = {"value": value, **bounds}
    for metric, percentile in product(Metric, PERCENTILES):
        value = getattr(getattr(cell, f"{metric}_s"), percentile)
        if value is not None:
            measures[f"{metric.replace('_', '-')}-{percentile}-s"] = {"value": value}
    return measures
