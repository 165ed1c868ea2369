from pathlib import Path

import pytest

from .matrix.columns import Column, fails, works
from .matrix.rows import Row, read_rows, renewed, write_rows

pytestmark = pytest.mark.once


def row(name: str, note: str = "") -> Row:
    outcomes = {column: fails(note) if note else works() for column in Column}
    return Row(name=name, versions={name: "1"}, outcomes=outcomes)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.json", [row("a"), row("b", "why")])

    assert read_rows(tmp_path / "rows.json") == (row("a"), row("b", "why"))


def test_without_a_file_there_are_no_rows(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "rows.json") == ()


def test_a_part_of_the_matrix_keeps_the_other_rows() -> None:
    old, new = [row("a", "why"), row("b")], [row("a")]

    assert renewed(old, new, ["b", "a", "c"]) == (row("b"), row("a"))


def test_a_framework_that_is_no_more_has_no_row() -> None:
    assert renewed([row("gone")], [], ["a"]) == ()


def test_a_failure_keeps_how_long_it_took(tmp_path: Path) -> None:
    outcomes = {column: fails("why", 1.25) for column in Column}
    slow = Row(name="a", versions={}, outcomes=outcomes)

    write_rows(tmp_path / "rows.json", [slow])

    assert read_rows(tmp_path / "rows.json") == (slow,)
