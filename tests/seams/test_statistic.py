"""A statistic is a function, a field that says which direction is better, and a column."""

from dataclasses import replace

import pytest
from warpbench.bench.results.records import CellResult, LatencySummary, Run, Status
from warpbench.bench.statistics.change_points import trends
from warpbench.bench.statistics.figures import FIGURES, Figure
from warpbench.bench.statistics.percentiles import PERCENTILES, summarise
from warpbench.reports.comparison import columns
from warpbench.reports.comparison.columns import Column

from ..built import HEADER, cell_result
from .added import table_of

pytestmark = pytest.mark.once

SPREAD = Figure(
    "latency_spread_s",
    more_is_better=False,
    of=lambda result: (
        None
        if result.latency_s.max is None or result.latency_s.p50 is None
        else result.latency_s.max - result.latency_s.p50
    ),
)


def run_of(*cells: CellResult) -> Run:
    return Run(
        created_at=HEADER.created_at,
        command=HEADER.command,
        environment=HEADER.environment,
        cells=cells,
    )


def cell(p50: float, greatest: float) -> CellResult:
    return cell_result(
        throughput_per_s=1.0, latency_s=LatencySummary(p50=p50, max=greatest), makespan_s=1.0
    )


def test_one_that_is_added_has_a_trend_over_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIGURES, SPREAD.name, SPREAD)  # type: ignore[arg-type]
    failed = replace(cell(1.0, 9.0), status=Status.FAILED)

    (trend,) = trends([run_of(cell(1.0, 1.5)), run_of(failed), run_of(cell(1.0, 2.5))], SPREAD.name)

    assert [point.value for point in trend.points] == [0.5, 1.5]


def test_one_that_is_added_has_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    column = Column("spread", lambda result: f"{SPREAD.of(result):.3f}", "Greatest less median.")
    monkeypatch.setattr(columns, "_ALWAYS", (*columns._ALWAYS, column))

    shown = table_of(run_of(cell(1.0, 1.625)))

    assert "spread" in shown
    assert "0.625" in shown


def test_a_percentile_is_a_field_that_names_its_share() -> None:
    thousand = [float(number) for number in range(1, 1001)]

    summary = summarise(thousand)

    assert {name: getattr(summary, name) for name in PERCENTILES} == {
        name: percent * 10 for name, percent in PERCENTILES.items()
    }
    assert all(f"latency_{name}_s" in FIGURES for name in PERCENTILES)


def test_every_figure_is_one_of_a_result() -> None:
    for figure in FIGURES.values():
        assert figure.of(CellResult(cell=cell(1, 2).cell)) is None
