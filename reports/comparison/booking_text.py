"""How the requests to the model were booked, in sentences, where that is not the usual way."""

from collections.abc import Callable, Sequence

from ...bench.results.formatting import counted, listed, whole
from ...bench.results.model_requests import ModelRequests
from ...bench.results.records import CellResult
from .ranking import label

_Count = Callable[[ModelRequests], int]


def bookings_explained(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """Return how the requests of some cells were booked, and which were equal to others.

    In-process the context of the code that asks books each request, and over sockets a header does:
    then nothing is said. Of several cells that with most such requests is told.
    """
    found = []
    booked = _with_most(cells, lambda each: each.by_marks + each.shared)
    if booked is not None:
        requests = booked.model_requests
        ways = (
            (requests.by_context, "by the context of the code that asked"),
            (requests.by_header, "by a header"),
            (requests.by_marks, "by marks in them"),
            (requests.shared, "as work that sessions share"),
        )
        how = listed([f"{whole(count)} {way}" for count, way in ways if count])
        found.append(f"requests to the model of {_name(booked)} were booked {how}")
    collected = _with_most(cells, lambda each: each.inputs_by_marks + each.inputs_shared)
    if collected is not None:
        requests = collected.model_requests
        inputs_booked = (
            (requests.inputs_by_marks, "by marks in them"),
            (requests.inputs_shared, "as work that sessions share"),
        )
        how = listed([f"{whole(count)} {way}" for count, way in inputs_booked if count])
        name = _name(collected)
        found.append(f"inputs of requests for embeddings and the like of {name} were booked {how}")
    equal = _with_most(cells, lambda each: each.repeats + each.hedges)
    if equal is not None:
        requests = equal.model_requests
        kinds = ((requests.repeats, "repeat"), (requests.hedges, "hedge"))
        counts = listed([counted(count, kind) for count, kind in kinds if count])
        found.append(f"requests to the model of {_name(equal)} hold {counts} of equal ones")
    return tuple(found)


def _with_most(cells: Sequence[CellResult], count: _Count) -> CellResult | None:
    having = [cell for cell in cells if count(cell.model_requests)]
    return max(having, key=lambda cell: count(cell.model_requests), default=None)


def _name(cell: CellResult) -> str:
    return f"{label(cell.cell)} at concurrency {whole(cell.cell.concurrency)}"
