"""Names of cells: written and read back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.cell import CellName, parse_cell_name
from warpbench.mocks.errors import UsageError

from ...built import CELL

pytestmark = pytest.mark.once

part = st.text("abz-_.:09", min_size=1)


@given(st.builds(CellName, st.text("ab/.", min_size=1), part, part, part, st.integers(1, 999_999)))
def test_a_name_is_read_as_it_was_written(cell: CellName) -> None:
    assert parse_cell_name(str(cell)) == cell


def test_cells_that_differ_in_transport_or_arrivals_have_names_of_their_own() -> None:
    assert CELL.full_name == "tools/agent/gather/asyncio@10 (warp)"
    other = replace(CELL, transport="loopback", arrivals="poisson:5")
    assert other.full_name == "tools/agent/gather/asyncio@10 (warp, loopback, poisson:5)"


@pytest.mark.parametrize("name", ["", "tools", "tools/agent/gather@10", "a/b/c/d", "a/b/c/d@0"])
def test_what_is_no_name_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(UsageError, match=r"tools/agent/gather/asyncio@10"):
        parse_cell_name(name)
