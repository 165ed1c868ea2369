"""CONTRIBUTING names files that there are, counts them truly, and docs/architecture.md agrees."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text()
ARCHITECTURE = (CHECKOUT / "docs" / "architecture.md").read_text()
PATHS = sorted({path for path in re.findall(r"`([\w./-]+/[\w./-]+)`", TEXT) if "//" not in path})
COUNTED = re.findall(r"^\*\*(.+?)\*\* \((\d) files?\)\. (.+?)\n\n", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", [path for path in PATHS if "NAME" not in path])
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize("path", [path for path in PATHS if "NAME" in path])
def test_a_file_that_is_to_be_written_has_a_folder(path: str) -> None:
    assert (CHECKOUT / path.partition("NAME")[0]).is_dir()


@pytest.mark.parametrize(("what", "count", "steps"), COUNTED, ids=[each[0] for each in COUNTED])
def test_as_many_files_are_named_as_are_counted(what: str, count: str, steps: str) -> None:
    rooms = ("bench/", "mocks/", "reports/")
    numbered = re.split(r"\(\d\) ", _line(steps))[1:]
    named = {
        path
        for step in numbered
        # What stands behind "else" is instead of the file before it.
        for path in re.findall(r"`([\w./]+\.py)`", re.sub(r"\belse .*", "", step))[:2]
        if path.startswith(rooms) and path != "mocks/transports/clients.py"
    }

    assert len(named) == int(count)


def test_the_seams_are_counted() -> None:
    assert len(COUNTED) == len(re.findall(r"^\*\*", TEXT, re.MULTILINE)) == 17


def test_the_page_on_the_architecture_starts_where_the_steps_do() -> None:
    _, table = ARCHITECTURE.split("## Where to start")
    rows = {
        what.lower(): re.findall(r"`([\w./]+/[\w./]*)`", places)
        for what, places in re.findall(r"^\| (an? .+?) \| (.+)$", table, re.MULTILINE)
    }

    for what, _, steps in COUNTED:
        paths = re.findall(r"`([\w./]+/[\w./]*)`", _line(steps))
        assert rows[what.lower()]
        for place in rows[what.lower()]:
            assert any(path.startswith(place) for path in paths), (what, place)


def _line(text: str) -> str:
    return text.replace("\n", " ")
