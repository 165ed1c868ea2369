"""The charts of every run that a report must survive can be drawn."""

from xml.etree import ElementTree

import pytest
from warpbench.reports.comparison.ranking import scenarios

from ....reports.charts.test_render import KINDS
from ....reports.conftest import DEGENERATE, DRAWN_LIKE_ANOTHER, charts_as_svg


@pytest.mark.parametrize("name", DRAWN_LIKE_ANOTHER)
def test_every_degenerate_run_can_be_drawn(name: str) -> None:
    """The others are drawn in the fast suite."""
    run = DEGENERATE[name]()

    charts = charts_as_svg(run)

    assert len(charts) == len(KINDS) * len(scenarios(run))
    for chart in charts:
        ElementTree.fromstring(chart.svg)
