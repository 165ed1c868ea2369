"""CONTRIBUTING names files that there are, and counts them truly."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text()
PATHS = sorted({path for path in re.findall(r"`([\w./-]+/[\w./-]+)`", TEXT) if "//" not in path})
COUNTED = re.findall(r"^\*\*(.+?)\*\* \((\d) files\)\. (.+?)\n\n", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", [path for path in PATHS if "NAME" not in path])
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize("path", [path for path in PATHS if "NAME" in path])
def test_a_file_that_is_to_be_written_has_a_folder(path: str) -> None:
    assert (CHECKOUT / path.partition("NAME")[0]).is_dir()


@pytest.mark.parametrize(("what", "count", "steps"), COUNTED, ids=[each[0] for each in COUNTED])
def test_as_many_files_are_named_as_are_counted(what: str, count: str, steps: str) -> None:
    rooms = ("bench/", "mocks/", "reports/")
    numbered = re.split(r"\(\d\) ", steps)[1:]
    named = {
        path
        for step in numbered
        for path in re.findall(r"`([\w./]+\.py)`", step.replace("\n", " "))[:2]
        if path.startswith(rooms) and path != "mocks/transports/clients.py"
    }

    assert len(named) == int(count)


def test_the_seams_are_counted() -> None:
    assert len(COUNTED) == 6
