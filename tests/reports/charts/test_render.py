"""The charts of a run."""

import io
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from PIL import Image
from warpbench.bench.results.records import CellResult, Run
from warpbench.reports.charts import render
from warpbench.reports.charts.chart import RenderedChart
from warpbench.reports.charts.description import Picture
from warpbench.reports.charts.matplotlib_renderer import draw, settings
from warpbench.reports.charts.palette import KNOWN_COLOURS, Palette
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.charts.render import render_charts, write_charts
from warpbench.reports.comparison.ranking import scenarios

from ...conftest import written_out

pytestmark = pytest.mark.once

KINDS = (
    "throughput",
    "efficiency",
    "latency",
    "percentiles",
    "time",
    "flow",
    "distribution",
    "lag",
)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]


@pytest.fixture
def throughput_of_hostile(hostile_charts: tuple[RenderedChart, ...]) -> str:
    """A chart of names that are anything but names."""
    return hostile_charts[0].svg


@pytest.fixture
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written without what they are to show: they are looked for, not into."""
    monkeypatch.setattr(render, "render", written_out)


@pytest.mark.usefixtures("nothing_is_drawn")
def test_files_are_named_by_scenario_and_kind(sample: Run, tmp_path: Path) -> None:
    files = write_charts(sample, tmp_path / "new")
    expected = [f"tools-{kind}.{suffix}" for kind in KINDS for suffix in ("svg", "png")]
    assert [file.name for file in files] == expected
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == sorted(expected)


@pytest.mark.usefixtures("nothing_is_drawn")
def test_scenarios_never_share_a_file_or_leave_the_folder(
    cell: Callable[..., CellResult], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    names = ("tools", "Tools", "../../tools", "…", "")
    run = run_of([cell("gather", "asyncio", 10, scenario=name) for name in names])
    files = write_charts(run, tmp_path / "charts")
    assert len(set(files)) == len(names) * len(KINDS) * 2
    assert {file.parent for file in files} == {tmp_path / "charts"}
    assert [path.name for path in tmp_path.iterdir()] == ["charts"]


def test_the_same_run_gives_the_same_bytes_whatever_a_users_own_settings(
    sample: Run, sample_charts: tuple[RenderedChart, ...]
) -> None:
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert render_charts(sample, CHARTS[:2]) == sample_charts[:2]
        assert mpl.rcParams["font.size"] == 30


def test_every_degenerate_run_can_be_drawn(
    degenerate: Run, degenerate_charts: tuple[RenderedChart, ...]
) -> None:
    """One of each shape; ``tests/slow`` draws the others."""
    assert len(degenerate_charts) == len(KINDS) * len(scenarios(degenerate))
    for chart in degenerate_charts:
        ElementTree.fromstring(chart.svg)


def test_names_that_are_anything_but_names_can_be_drawn_as_pixels(
    hostile_charts: tuple[RenderedChart, ...],
) -> None:
    for chart in hostile_charts:
        Image.open(io.BytesIO(chart.png)).verify()


def test_pictures_are_of_a_size_for_a_readme(sample_charts: tuple[RenderedChart, ...]) -> None:
    for chart in sample_charts:
        width, height = Image.open(io.BytesIO(chart.png)).size
        assert 1000 <= width <= 1500
        assert height <= 1500


def test_an_svg_names_no_address_but_its_own_namespaces(
    degenerate_charts: tuple[RenderedChart, ...],
) -> None:
    for chart in degenerate_charts:
        addresses = set(re.findall(r"https?://[^\"\s<]+", chart.svg))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert "<image" not in chart.svg
        assert "<script" not in chart.svg


def test_text_is_text_in_a_generic_family(sample_charts: tuple[RenderedChart, ...]) -> None:
    for chart in sample_charts:
        assert any("tools" in text for text in texts(chart.svg))
        families = re.findall(r"font(?:-family)?: [^;\"]*'DejaVu Sans', ([^;\"]+)", chart.svg)
        assert set(families) == {"sans-serif"}


def test_a_name_with_dollar_signs_is_no_formula(throughput_of_hostile: str) -> None:
    assert any("$" in text for text in texts(throughput_of_hostile))


def test_a_name_that_begins_with_an_underscore_is_in_the_legend(throughput_of_hostile: str) -> None:
    # Entries of the legend are set in by a space, lines of the title are not.
    entries = [text for text in texts(throughput_of_hostile) if text[:1].isspace()]
    assert sum(text.strip().startswith("_<script>") for text in entries) == 2


def test_a_strategy_has_one_colour_in_all_charts(sample_charts: tuple[RenderedChart, ...]) -> None:
    for kind in ("throughput", "latency", "distribution"):
        (svg,) = (chart.svg for chart in sample_charts if chart.name.endswith(kind))
        for strategy in ("threads", "gather", "taskgroup", "workers"):
            assert KNOWN_COLOURS[strategy].lower() in svg
        assert KNOWN_COLOURS["blocking"].lower() not in svg  # it does not apply


def picture_of(run: Run, name: str) -> Picture:
    (chart,) = (chart for chart in CHARTS if chart.name == name)
    return chart.picture(scenarios(run)[0], Palette.of(run))


def test_a_wide_spread_of_loads_is_drawn_logarithmically(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    def axis_of(loads: tuple[int, ...]) -> object:
        run = run_of([cell("gather", "asyncio", load) for load in loads])
        with settings("test"):
            return draw(picture_of(run, "throughput")).axes[0].get_xscale()

    assert axis_of((1, 10, 100)) == "log"
    assert axis_of((10, 20, 30)) == "linear"


def test_targets_are_drawn_to_one_scale(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    run = run_of(
        [
            cell("gather", "asyncio", load, efficiency, target=target)
            for target, efficiency in (("fast", 0.9), ("slow", 0.2))
            for load in (10, 20)
        ]
    )
    with settings("test"):
        throughputs = draw(picture_of(run, "throughput")).axes
        latencies = draw(picture_of(run, "latency")).axes
    assert throughputs[0].get_ylim() == throughputs[1].get_ylim()
    assert latencies[0].get_xlim() == latencies[1].get_xlim()


def test_the_renderer_draws_what_is_described(sample: Run) -> None:
    picture = picture_of(sample, "throughput")
    (panel,) = picture.panels
    assert panel is not None
    with settings("test"):
        (axes,) = draw(picture, "tools").axes
    drawn = {tuple(zip(*line.get_data(), strict=True)) for line in axes.lines}
    for line in panel.lines:
        assert tuple((point.x, point.y) for point in line.points) in drawn
    assert len(axes.lines) == len(panel.lines)
    assert axes.get_ylabel() == panel.y.text if panel.y else False


def test_tiles_are_drawn_with_their_labels(sample: Run) -> None:
    picture = picture_of(sample, "efficiency")
    (panel,) = picture.panels
    assert panel is not None
    with settings("test"):
        (axes,) = draw(picture).axes
    assert [text.get_text() for text in axes.texts] == [tile.label for tile in panel.tiles]


WITHOUT_CHARTS = (
    "html.write",
    "html.page",
    "terminal.table",
    "comparison.summary",
    "charts.palette",
)


def test_matplotlib_is_imported_only_where_charts_are_drawn_and_pyplot_nowhere() -> None:
    """The latter has a global state."""
    code = """
        import importlib, sys
        for module in sys.argv[1:]:
            importlib.import_module(f"warpbench.reports.{module}")
            if "matplotlib" in sys.modules:
                sys.exit(module)
        import warpbench.reports.charts.render
        assert "matplotlib" in sys.modules
        assert "matplotlib.pyplot" not in sys.modules
    """
    command = [sys.executable, "-c", textwrap.dedent(code), *WITHOUT_CHARTS]
    finished = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
