"""The trend of a metric in the terminal."""

import io

import pytest
from rich.console import Console
from warpbench.bench.statistics.change_points import ChangePoint, Point, Trend
from warpbench.reports.terminal.history import print_trends, spark_line

from ...golden import assert_golden

pytestmark = pytest.mark.once


def trend(*values: float, metric: str = "throughput_per_s", changed_at: int | None = None) -> Trend:
    points = tuple(
        Point(f"2026-11-{day:02}T12:00:00Z", f"c0ffee{day}", value)
        for day, value in enumerate(values, 1)
    )
    changes = (
        ()
        if changed_at is None
        else (ChangePoint(changed_at, values[changed_at - 1], values[changed_at]),)
    )
    return Trend("tools/agent/gather/asyncio@10 (warp)", metric, points, changes)


def test_a_change_point_is_marked_before_its_bar() -> None:
    assert spark_line(trend(1.0, 1.0, 2.0, changed_at=2)) == "▁▁◆█"
    assert spark_line(trend(1.0, 1.0)) == "▅▅"


@pytest.mark.once
def test_the_wording_of_the_trends() -> None:
    file = io.StringIO()
    trends = [trend(100.0, 100.5, 80.0, 80.2, changed_at=2), trend(12_000.0, metric="llm_calls")]
    print_trends(trends, Console(file=file, width=100))
    assert_golden("history", file.getvalue())
