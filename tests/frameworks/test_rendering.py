import pytest

from .matrix.columns import Column, Outcome, fails, not_applicable, works
from .matrix.rendering import BEGIN, END, counted, into_page, table
from .matrix.rows import Row

pytestmark = pytest.mark.once


def row(name: str = "x", **changed: Outcome) -> Row:
    outcomes = {column: changed.get(column.value, works()) for column in Column}
    return Row(name=name, versions={name: "1.2"}, outcomes=outcomes)


def test_a_row_has_a_sign_for_each_column() -> None:
    text = table([row(sync=not_applicable("async only"), tools=fails("0 of 80"))])

    assert "| x | 1.2 | ✓ | ✓ | - | ✓ | ✓ | ✓ | ✓ | ✗ | ✓ |" in text.splitlines()


def test_each_reason_is_a_line_and_columns_share_one() -> None:
    reason = fails("no | *marker*")

    text = table([row(sync=reason, threads=reason)])

    assert r"- x, sync, threads ✗ no \| \*marker\*" in text.splitlines()


def test_the_longest_failure_of_each_framework_is_told() -> None:
    rows = [row("x", sync=fails("why", 0.3), tools=fails("why", 2.04)), row("y", warp=fails("z"))]

    assert "imports included): x 2.0 s." in table(rows)


def test_without_a_failure_nothing_is_said_of_its_time() -> None:
    assert "What fails" not in table([row()])


def test_a_framework_that_was_not_installed_has_no_version() -> None:
    bare = Row(name="x", versions={}, outcomes=row().outcomes)

    assert "| x |  | ✓" in table([bare])


def test_the_table_takes_its_place_in_the_page() -> None:
    page = f"# Title\n{BEGIN}\nold\n{END}\nmore\n"

    assert into_page(page, "new") == f"# Title\n{BEGIN}\nnew\n{END}\nmore\n"


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} {BEGIN}"])
def test_a_page_without_a_place_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        into_page(page, "new")


def test_the_cells_are_counted() -> None:
    text = counted([row(sync=fails("x"))])

    assert text == "8 works, 1 fails, 0 not applicable, 0 not run, 0 undecided"
