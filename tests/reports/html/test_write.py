"""The report's files, made again from a results file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from warpbench.bench.results.records import CellResult, Run
from warpbench.bench.results.run_file import read_run, write_run
from warpbench.mocks.errors import RunFileError
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.html.write import write_report

from ...built import DATA_FLOW
from ...conftest import written_out

pytestmark = pytest.mark.once

STANDING = [chart for chart in CHARTS if not chart.is_optional]


@pytest.fixture
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what pictures show, it is written what they say; how is for `test_render.py`."""
    monkeypatch.setattr("warpbench.reports.charts.render.render", written_out)


@pytest.mark.usefixtures("nothing_is_drawn")
def test_the_page_comes_first_and_the_charts_with_it(
    cell: Callable[..., CellResult], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """That they are drawn if a user asks for them is for `tests/bench/cli/test_cli.py`."""
    measured = cell("gather", "asyncio", 10, data_flow=DATA_FLOW)

    files = write_report(run_of([measured]), tmp_path / "report")

    assert files[0].name == "report.html"
    assert len(files) == 1 + 2 * len(STANDING)
    assert all(file.read_bytes() for file in files)
    assert {file.parent for file in files} == {tmp_path / "report"}


@pytest.mark.usefixtures("nothing_is_drawn")
def test_a_report_made_again_from_the_results_file_is_the_same(sample: Run, tmp_path: Path) -> None:
    files = write_report(sample, tmp_path / "report")
    write_run(sample, tmp_path / "run.json")

    again = write_report(read_run(tmp_path / "run.json"), tmp_path / "again")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


def test_every_degenerate_run_survives_its_results_file(degenerate: Run, tmp_path: Path) -> None:
    write_run(degenerate, tmp_path / "run.json")
    if all(result.cell.scenario.isprintable() for result in degenerate.cells):
        assert read_run(tmp_path / "run.json") == degenerate
    else:  # no scenario can have such a name
        with pytest.raises(RunFileError, match="expected printable text"):
            read_run(tmp_path / "run.json")
