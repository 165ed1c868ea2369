"""What charts describe: values, texts and colours, before anything is drawn."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.formatting import Unit, percent, rate, seconds
from warpbench.bench.results.records import CellResult, LatencySummary, Run
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.timeline import BlockedSpan, Lane, LaneState, Timeline
from warpbench.reports.charts.chart import Chart
from warpbench.reports.charts.description import (
    Axis,
    Panel,
    Picture,
    Point,
    Quantity,
    Reference,
    ScaleKind,
    fitted,
    in_common_units,
    tick_text,
)
from warpbench.reports.charts.latency import cells_with_latency, percentiles
from warpbench.reports.charts.palette import BLOCKED_COLOUR, KNOWN_COLOURS, PART_COLOURS, Palette
from warpbench.reports.charts.quantiles import quantiles
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.charts.throughput import ideal_points, throughput_points
from warpbench.reports.charts.ticks import logarithmic_ticks
from warpbench.reports.charts.timeline import describe_timeline
from warpbench.reports.comparison.ranking import Series, scenarios

from ...built import changed
from ...golden import assert_golden

pytestmark = pytest.mark.once


def chart(name: str) -> Chart:
    (found,) = (chart for chart in CHARTS if chart.name == name)
    return found


def picture_of(run: Run, name: str) -> Picture:
    return chart(name).picture(scenarios(run)[0], Palette.of(run))


def panel_of(run: Run, name: str) -> Panel:
    (panel,) = picture_of(run, name).panels
    assert panel is not None
    return panel


@pytest.fixture
def two(cell: Callable[..., CellResult], run_of: Callable[..., Run]) -> Run:
    """Two strategies at two loads."""
    efficiencies = {"gather": (0.99, 0.95), "threads": (0.98, 0.6)}
    return run_of(
        [
            cell(strategy, "asyncio", load, efficiency)
            for strategy, by_load in efficiencies.items()
            for load, efficiency in zip((10, 100), by_load, strict=True)
        ]
    )


# ---- each chart


def test_the_line_of_a_series_holds_its_measured_points(sample: Run) -> None:
    (group,) = scenarios(sample)[0].groups
    series = {one.label: one for one in group.series}
    assert [load for load, _ in throughput_points(series["gather · uvloop"])] == [1, 10, 100]
    assert [load for load, _ in throughput_points(series["executor · uvloop"])] == [1, 10]
    assert throughput_points(series["blocking · asyncio"]) == ()
    assert [load for load, _ in ideal_points(group)] == [1, 10, 100]
    lines = {line.label: line for line in panel_of(sample, "throughput").lines}
    for label, one in series.items():
        if throughput_points(one):
            assert tuple((p.x, p.y) for p in lines[label].points) == throughput_points(one)
    assert tuple((p.x, p.y) for p in lines["ideal"].points) == ideal_points(group)


def test_no_line_runs_above_the_ideal(sample: Run) -> None:
    ideal, *measured = panel_of(sample, "throughput").lines
    most = {point.x: point.y for point in ideal.points}
    assert all(point.y <= most[point.x] for line in measured for point in line.points)


def test_a_tooltip_writes_a_number_as_the_table_does(two: Run) -> None:
    lines = {line.label: line for line in panel_of(two, "throughput").lines}
    for result in two.cells:
        of_cell = lines[f"{result.cell.strategy} · asyncio"].points
        (point,) = (point for point in of_cell if point.x == result.cell.concurrency)
        assert point.text == (
            f"concurrency {result.cell.concurrency}: {rate(result.throughput_per_s)}, "
            f"{percent(result.efficiency)} of the ideal"
        )


def test_hours_are_hours_in_axis_note_and_tooltip(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    long = cell("gather", "asyncio", 100, session_s=14_400.0)
    panel = panel_of(run_of([long]), "latency")
    assert panel.x.text == "latency of a session (h)"
    assert panel.dots[0].text == seconds(long.latency_s.p50)
    assert panel.dots[0].text.endswith(" h")


def test_the_heat_map_says_what_every_cell_reached(sample: Run) -> None:
    labels = [tile.label for tile in panel_of(sample, "efficiency").tiles]
    assert labels[:3] == ["98 %", "10 %", "1 %"]  # sync, at each load
    assert labels.count("failed") == 1
    assert labels.count("n/a") == 1
    assert labels.count("5 lost") == 1
    assert len(labels) == 11 * 3 - 2  # blocking was asked for at one load only


def test_one_load_is_drawn_as_bars_from_zero(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    cells = [cell(name, "asyncio", 50) for name in ("gather", "workers")]
    panel = panel_of(run_of(cells), "throughput")
    assert [(span.begin, span.end) for span in panel.spans] == [
        (0, cell.throughput_per_s) for cell in cells
    ]
    assert panel.x.low == 0
    assert panel.lines == ()


def test_a_missing_percentile_is_not_shown(cell: Callable[..., CellResult]) -> None:
    assert list(percentiles(cell("gather", "asyncio", 10))) == ["p50", "p90"]


def test_latency_is_compared_at_the_highest_load_that_was_measured(sample: Run) -> None:
    (group,) = scenarios(sample)[0].groups
    assert chart("latency").shown_load(group, Palette.of(sample)) == 100
    cells = cells_with_latency(group, 100)
    assert cells[0].cell.strategy == "threads"


@pytest.mark.parametrize("name", ["latency", "percentiles", "distribution"])
def test_a_strategy_of_one_session_at_a_time_does_not_look_best_by_what_its_sessions_waited_before(
    name: str, cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    sync, others = cell("sync", "none", 100, 0.01), cell("gather", "asyncio", 100)
    (group,) = scenarios(run_of([sync, others]))[0].groups
    assert cells_with_latency(group, 100) == (others,)
    assert sync.latency_s.mean is not None
    waits = f"session 100 waits {seconds(99 * sync.latency_s.mean)} for its turn"
    assert waits in panel_of(run_of([sync, others]), name).finding
    # Another that takes one at a time shares the sentence.
    blocking = changed(cell("blocking", "asyncio", 100), one_at_a_time=True)
    finding = panel_of(run_of([sync, blocking, others]), name).finding
    assert "sync and blocking · asyncio are left out: one at a time, session 100" in finding
    # Alone it is shown, and so it is where nobody waits.
    alone, once = run_of([sync]), run_of([cell("sync", "none", 1), cell("gather", "asyncio", 1)])
    assert len(cells_with_latency(scenarios(alone)[0].groups[0], 100)) == 1
    assert len(cells_with_latency(scenarios(once)[0].groups[0], 1)) == 2


def test_the_curve_ends_where_the_sessions_no_longer_suffice(
    cell: Callable[..., CellResult], two: Run
) -> None:
    few, many = (
        [share for share, _ in quantiles(cell("gather", "asyncio", load))] for load in (1, 100)
    )
    assert max(few[:-1]) < max(many[:-1])
    assert few[-1] == many[-1] == 100
    assert [p.x for p in panel_of(two, "percentiles").lines[0].points] == many[:-1]


def test_the_share_of_sessions_finished_ends_at_all_of_them(two: Run) -> None:
    for line in panel_of(two, "distribution").lines:
        shares = [point.y for point in line.points]
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_the_parts_of_a_bar_add_up_to_the_latency(two: Run) -> None:
    panel = panel_of(two, "time")
    for row, note in zip(range(2), panel.notes, strict=True):
        spans = [span for span in panel.spans if span.row == row]
        assert [span.begin for span in spans[1:]] == [span.end for span in spans[:-1]]
        assert spans[-1].end == pytest.approx(1.25)
        assert note.text == seconds(spans[-1].end)
        assert spans[0].colour == PART_COLOURS["llm"]
        assert spans[0].text == f"{seconds(0.75)}, {percent(0.6)}"


def test_the_lag_is_that_of_the_vitals(two: Run) -> None:
    vitals = two.cells[1].vitals
    assert vitals is not None
    line = panel_of(two, "lag").lines[0]
    assert line.points[1] == Point(
        vitals.at_ns[1] / 1e9,
        vitals.loop_lag_ns[1] / 1e9,
        f"at {seconds(vitals.at_ns[1] / 1e9)}: up to {seconds(vitals.loop_lag_ns[1] / 1e9)} late",
    )


def test_lanes_follow_each_other_and_blocked_spans_stand_apart(
    cell: Callable[..., CellResult],
) -> None:
    lane = Lane(
        session=3,
        outcome=Outcome.SUCCEEDED,
        end_ns=900,
        from_ns=(0, 400),
        state=(LaneState.MODEL, LaneState.READY),
    )
    timeline = Timeline(lanes=(lane,), blocked=(BlockedSpan(100, 300, "agent.py:1"),))
    described = describe_timeline(replace(cell("gather", "asyncio", 10), timeline=timeline))
    assert described is not None
    model, ready, blocked = described.panel.spans
    assert (model.begin, model.end, ready.end) == (0, 400e-9, 900e-9)
    assert (model.row, ready.row, blocked.row) == (0, 0, 2)
    assert blocked.colour == BLOCKED_COLOUR
    assert blocked.meaning == "agent.py:1 blocked the event loop"
    assert described.panel.rows[0].name == "session 3"


def test_a_wait_in_the_sessions_own_code_has_a_colour_of_its_own_and_its_place(
    cell: Callable[..., CellResult],
) -> None:
    lane = Lane(
        session=0,
        outcome=Outcome.SUCCEEDED,
        end_ns=900,
        from_ns=(0, 300, 600),
        state=(LaneState.MODEL, LaneState.OWN_WAIT, LaneState.OTHER),
        place=(-1, 0, -1),
    )
    timeline = Timeline(lanes=(lane,), places=("my_agent.py:build.<locals>.look_up:13",))
    described = describe_timeline(replace(cell("gather", "asyncio", 10), timeline=timeline))
    assert described is not None
    model, own, unknown = described.panel.spans
    assert own.meaning == "waiting in look_up (my_agent.py:13)"
    assert len({model.colour, own.colour, unknown.colour}) == 3
    assert [entry.label for entry in described.panel.legend] == [
        "waiting for the model",
        "waiting inside your own code",
        "waiting inside your own code, place not known",
    ]


def test_lanes_with_nothing_on_them_are_no_timeline(cell: Callable[..., CellResult]) -> None:
    lane = Lane(session=0, outcome=Outcome.FAILED, end_ns=0, from_ns=(), state=())
    result = replace(cell("gather", "asyncio", 10), timeline=Timeline(lanes=(lane,)))
    assert describe_timeline(result) is None


def test_the_label_of_a_series_leaves_out_a_loop_that_is_none(
    cell: Callable[..., CellResult],
) -> None:
    assert Series("threads", "none", (cell("threads", "none", 1),)).label == "threads"


def test_a_strategy_has_one_colour_in_all_charts(sample: Run) -> None:
    for name in ("throughput", "percentiles", "distribution", "lag"):
        colours = {
            line.colour for line in panel_of(sample, name).lines if line.owner == "taskgroup"
        }
        assert colours == {KNOWN_COLOURS["taskgroup"]}


def test_colours_follow_the_run_and_not_the_scenario(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    first = [cell(name, "asyncio", 10, scenario="one") for name in ("mine", "yours")]
    second = [changed(first[1], scenario="two")]
    palette = Palette.of(run_of([*first, *second]))
    assert len(set(palette.colours.values())) == 2


def test_every_tooltip_and_finding_is_on_one_line(degenerate: Run) -> None:
    palette = Palette.of(degenerate)
    for scenario in scenarios(degenerate):
        for each in CHARTS:
            for panel in each.picture(scenario, palette).panels:
                if panel is None:
                    continue
                texts = [point.text for line in panel.lines for point in line.points]
                texts += [panel.finding, *(span.text for span in panel.spans)]
                assert all(text.isprintable() for text in texts)


# ---- axes


def test_a_wide_axis_is_logarithmic_where_values_spread_widely() -> None:
    axis = Axis(label="x", quantity=Quantity.TIME, scale=ScaleKind.WIDE)
    assert fitted(axis, [1, 100]).is_logarithmic
    assert not fitted(axis, [1, 10]).is_logarithmic
    assert not fitted(replace(axis, scale=ScaleKind.LINEAR), [1, 100]).is_logarithmic


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0], [1.2, 1.2], [0.0, 5.0]])
@pytest.mark.parametrize("from_zero", [True, False])
def test_a_range_is_never_empty(values: list[float], from_zero: bool) -> None:
    axis = Axis(label="x", quantity=Quantity.TIME, scale=ScaleKind.WIDE, from_zero=from_zero)
    extent = fitted(axis, values)
    assert extent.low < extent.high


@given(st.lists(st.floats(0, allow_infinity=False), min_size=1), st.sampled_from(ScaleKind))
def test_a_range_can_be_drawn_whatever_numbers_a_results_file_holds(
    values: list[float], scale: ScaleKind
) -> None:
    extent = fitted(Axis(label="x", quantity=Quantity.TIME, scale=scale), values)
    assert 0 <= extent.low < extent.high < math.inf
    if extent.is_logarithmic:
        assert len(logarithmic_ticks(extent.low, extent.high)) >= 3


def test_panels_share_the_unit_of_the_greatest_value() -> None:
    axis = Axis(label="latency", quantity=Quantity.TIME)
    panels = in_common_units(
        Panel(finding="", x=axis, references=(Reference(value, ""),)) for value in (0.002, 3.0)
    )
    assert [panel.x.unit for panel in panels if panel] == [Unit("s", 1.0)] * 2


@pytest.mark.parametrize(
    ("quantity", "value", "text"),
    [
        (Quantity.COUNT, 10_000, "10,000"),
        (Quantity.COUNT, 99.9, "99.9"),
        (Quantity.TIME, 0.25, "0.25"),
        (Quantity.TIME, 0.1 + 0.2, "0.3"),
        (Quantity.SHARE, 90, "90 %"),
        (Quantity.CHANGE, 5, "+5 %"),
        (Quantity.CHANGE, -2.5, "-2.5 %"),
    ],
)
def test_ticks_are_numbers_in_the_unit_of_their_axis(
    quantity: Quantity, value: float, text: str
) -> None:
    assert tick_text(Axis(label="x", quantity=quantity), value) == text


# ---- words


def with_streams(run: Run) -> Run:
    """The same run, whose model calls stream, and whose first tokens come later under load."""
    return replace(
        run,
        cells=tuple(
            result
            if result.makespan_s is None
            else replace(result, ttft_s=LatencySummary(p50=0.3 * result.makespan_s))
            for result in run.cells
        ),
    )


def test_a_run_without_streams_has_no_chart_of_first_tokens(two: Run) -> None:
    (scenario,) = scenarios(two)
    palette = Palette.of(two)
    assert not chart("first-token").is_shown(scenario.groups, palette)
    assert chart("first-token").is_shown(scenarios(with_streams(two))[0].groups, palette)


def test_first_tokens_are_shown_by_the_highest_percentile_that_all_cells_have(two: Run) -> None:
    cells = list(with_streams(two).cells)
    cells[0] = replace(cells[0], ttft_s=LatencySummary(p50=1.0, p95=2.0))

    by_median = panel_of(replace(two, cells=tuple(cells)), "first-token")
    assert by_median.finding.startswith("At concurrency 100, TTFT p50 goes from ")

    all_have = tuple(replace(each, ttft_s=LatencySummary(p50=1.0, p95=2.0)) for each in cells)
    by_p95 = panel_of(replace(two, cells=all_have), "first-token")
    assert by_p95.finding == "At concurrency 100, TTFT p95 is 2.00 s"


def test_one_load_makes_no_line_of_first_tokens(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    one = with_streams(run_of([cell("gather", "asyncio", 10)]))
    assert not chart("first-token").is_shown(scenarios(one)[0].groups, Palette.of(one))


def test_the_wording_of_a_run(sample: Run) -> None:
    lines = []
    for each in CHARTS:
        shown = with_streams(sample) if each.is_optional else sample
        picture = each.picture(scenarios(shown)[0], Palette.of(shown))
        lines.append(f"== {each.name}: {each.heading}")
        for panel in filter(None, picture.panels):
            lines += [f"subject: {panel.subject}", f"finding: {panel.finding}"]
            lines.append(f"x: {panel.x.text}")
            lines.append(f"y: {panel.y.text if panel.y else [row.label for row in panel.rows]}")
            lines += [
                f"line: {line.label} {line.colour} {line.dashes}: {_text(line.points)}"
                for line in panel.lines
            ]
            lines += [f"span: {s.row} {s.colour} {s.meaning}: {s.text}" for s in panel.spans]
            lines += [f"dot: {d.row} {d.meaning}: {d.text}" for d in panel.dots]
            lines += [f"tile: {t.row} {t.column} {t.colour} {t.label}" for t in panel.tiles]
            lines += [f"note: {n.row} {n.text}" for n in panel.notes]
            lines += [f"arrow: {a.row} {a.x} {a.to_row} {a.to_x} {a.colour}" for a in panel.arrows]
            lines += [f"reference: {one.text}" for one in panel.references]
        lines += [f"legend: {entry.label} {entry.colour}" for entry in picture.legend]
    assert_golden("charts", "\n".join(lines))


def _text(points: tuple[Point, ...]) -> str:
    """Write the first and the last point."""
    return f"{points[0].text} … {points[-1].text}"
