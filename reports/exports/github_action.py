"""The two custom formats of github-action-benchmark, which keeps charts of a project's history."""

from collections.abc import Iterator
from itertools import product

from ...bench.results.encoding import json_text
from ...bench.results.metrics import Metric
from ...bench.results.records import CellResult, Run
from ...bench.statistics.percentiles import PERCENTILES
from ..comparison.objectives import METRICS
from .measured import measured_cells


def render_bigger(run: Run) -> str:
    """Return what should grow: throughput and efficiency (``customBiggerIsBetter``)."""
    return _rendered(run, (("throughput", "sessions/s", "throughput_per_s"),), with_efficiency=True)


def render_smaller(run: Run) -> str:
    """Return what should shrink: times and CPU (``customSmallerIsBetter``)."""
    metrics = (("makespan", "s", "makespan_s"), ("CPU per session", "s", "cpu_s_per_session"))
    return _rendered(run, metrics, with_efficiency=False)


def _rendered(run: Run, metrics: tuple[tuple[str, str, str], ...], *, with_efficiency: bool) -> str:
    entries = []
    for name, cell in measured_cells(run):
        for title, unit, attribute in metrics:
            values = [getattr(trial, attribute) for trial in cell.trial_figures]
            spread = f"± {(max(values) - min(values)) / 2:.3g}"
            value = getattr(cell, attribute)
            entries.append(_entry(f"{name} {title}", unit, value, cell) | {"range": spread})
        if with_efficiency:
            if cell.efficiency is not None:
                entries.append(_entry(f"{name} efficiency", "of the ideal", cell.efficiency, cell))
        else:
            entries += _percentiles(name, cell)
    return json_text(entries)


def _percentiles(name: str, cell: CellResult) -> Iterator[dict[str, object]]:
    for metric, percentile in product(Metric, PERCENTILES):
        value = getattr(getattr(cell, f"{metric}_s"), percentile)
        if value is not None:
            yield _entry(f"{name} {METRICS[metric]} {percentile}", "s", value, cell)


def _entry(name: str, unit: str, value: float, result: CellResult) -> dict[str, object]:
    extra = f"{result.trials} trials of {result.cell.session_count} sessions"
    return {"name": name, "unit": unit, "value": value, "extra": extra}
