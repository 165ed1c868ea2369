"""How requests were booked is told where it is not the usual way."""

from dataclasses import replace

import pytest
from warpbench.bench.results.model_requests import ModelRequests
from warpbench.bench.results.records import CellResult
from warpbench.reports.comparison.booking_text import bookings_explained

from ...built import cell_result

pytestmark = pytest.mark.once


def cell(**requests: int) -> CellResult:
    return replace(cell_result(), model_requests=ModelRequests(**requests))


def test_nothing_is_said_where_each_request_is_booked_by_its_context_or_a_header() -> None:
    assert bookings_explained([cell(by_context=40, samples=3, retries=2), cell(by_header=40)]) == ()


def test_the_cell_with_most_others_is_told() -> None:
    few = cell(by_context=40, by_marks=1)
    many = cell(by_context=1200, by_marks=30, shared=12, repeats=1, hedges=20)
    (booked, equal) = bookings_explained([few, many])

    assert booked.endswith(
        "were booked 1,200 by the context of the code that asked, 30 by marks in them and 12 as "
        "work that sessions share"
    )
    assert equal.endswith("hold 1 repeat and 20 hedges of equal ones")
