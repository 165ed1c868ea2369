"""The data of a page: what its script can make itself is not in it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from warpbench.bench.results.records import CellResult, Run
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.timeline import BlockedSpan, Lane, LaneState, Timeline
from warpbench.reports.html.page_data import page_data

pytestmark = pytest.mark.once


def test_a_text_that_follows_from_the_values_is_not_sent(sample: Run) -> None:
    charts = json.loads(page_data(sample))["scenarios"][0]["groups"][0]["charts"]
    headings = ("Latency by percentile", "Share of sessions finished")
    panels = [
        panel
        for chart in charts
        if chart["heading"] in headings
        for panel in chart["panels"].values()
    ]
    points = [point for panel in panels for line in panel["lines"] for point in line["points"]]
    # One is sent where the value, rounded for the page, would be rounded once more to another text.
    sent = [point for point in points if len(point) > 2]
    assert 0 < len(sent) < len(points) / 20
    assert {panel["pointText"] for panel in panels} == {"p{x}: {y}", "{y} within {x}"}


def test_a_text_that_does_not_follow_is_sent(sample: Run) -> None:
    charts = json.loads(page_data(sample))["scenarios"][0]["groups"][0]["charts"]
    (throughput,) = (chart for chart in charts if chart["heading"] == "Throughput by concurrency")
    lines = [line for panel in throughput["panels"].values() for line in panel["lines"]]
    assert any("of the ideal" in point[2] for line in lines for point in line["points"])


def test_a_bar_late_in_a_trial_keeps_the_digits_of_its_length(sample: Run) -> None:
    second_ns = 1_000_000_000
    lane = Lane(
        session=0,
        outcome=Outcome.SUCCEEDED,
        end_ns=100 * second_ns,
        from_ns=(0,),
        state=(LaneState.MODEL,),
    )
    late_ns = 98_765_432_100
    blocked = BlockedSpan(late_ns, late_ns + 1_234_000, "agent.py:summarise")
    cell = replace(sample.cells[0], timeline=Timeline(lanes=(lane,), blocked=(blocked,)))
    data = json.loads(page_data(replace(sample, cells=(cell,))))
    (panel,) = data["scenarios"][0]["groups"][0]["timelines"]["panels"]
    begin, length = panel["spans"][-1][1:3]
    assert (begin, length) == (98.765, 0.001234)


def test_the_timelines_shown_first_are_the_best_and_the_next_that_is_not_tied(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    lane = Lane(
        session=0,
        outcome=Outcome.SUCCEEDED,
        end_ns=1_000_000,
        from_ns=(0,),
        state=(LaneState.MODEL,),
    )
    cells = [
        replace(cell(strategy, "asyncio", 10, share), timeline=Timeline(lanes=(lane,), blocked=()))
        for strategy, share in (
            ("sync", 0.1),
            ("workers", 0.7),
            ("taskgroup", 0.96),
            ("gather", 0.97),
        )
    ]
    data = json.loads(page_data(run_of(cells)))
    (scenario,) = data["scenarios"]
    assert scenario["groups"][0]["timelines"]["compared"] == [
        "gather · asyncio",
        "workers · asyncio",
    ]


def test_how_the_lab_drives_a_service_as_deployed_is_no_key(sample: Run) -> None:
    of_service = [replace(each, cell=replace(each.cell, workers=2)) for each in sample.cells]

    driven = json.loads(page_data(sample))
    deployed = json.loads(page_data(replace(sample, cells=tuple(of_service))))

    assert driven["strategies"]
    assert deployed["strategies"] == []
    assert "asyncio" in [line["label"] for line in driven["lines"]]
    assert "asyncio" not in [line["label"] for line in deployed["lines"]]
