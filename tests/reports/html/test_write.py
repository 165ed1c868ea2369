"""The report's files, made again from a results file."""

from pathlib import Path

import pytest
from warpbench.bench.results.records import Run
from warpbench.bench.results.run_file import read_run, write_run
from warpbench.mocks.errors import RunFileError
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.html.write import write_report

pytestmark = pytest.mark.once

STANDING = [chart for chart in CHARTS if not chart.is_optional]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def files(sample: Run, folder: Path) -> list[Path]:
    """A report of the sample, written once."""
    return write_report(sample, folder / "report")


def test_the_page_comes_first_and_the_charts_with_it(files: list[Path], folder: Path) -> None:
    assert files[0].name == "report.html"
    assert len(files) == 1 + 2 * len(STANDING)
    assert all(file.stat().st_size > 1000 for file in files)
    assert {file.parent for file in files} == {folder / "report"}


def test_a_report_made_again_from_the_results_file_is_the_same(
    files: list[Path], sample: Run, tmp_path: Path
) -> None:
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
