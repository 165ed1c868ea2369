"""The figures of a cell that have a better direction, as the fields of its result declare them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from ..results.records import MORE_IS_BETTER, CellResult
from .percentiles import PERCENTILES

_TIMES = ("ttft", "itl", "first_output", "latency")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a cell.

    Attributes:
        name: As it is asked for and exported, with its unit.
        more_is_better: Whether it should grow.
        of: Returns it of a result; ``None`` where there is none.
    """

    name: str
    more_is_better: bool
    of: Callable[[CellResult], float | None]


def _field(name: str) -> Callable[[CellResult], float | None]:
    return lambda result: getattr(result, name)


def _percentile(summary: str, name: str) -> Callable[[CellResult], float | None]:
    return lambda result: getattr(getattr(result, f"{summary}_s"), name)


def _figures() -> list[Figure]:
    declared = [
        Figure(part.name, part.metadata[MORE_IS_BETTER], _field(part.name))
        for part in fields(CellResult)
        if MORE_IS_BETTER in part.metadata
    ]
    of_times = [
        Figure(f"{summary}_{name}_s", False, _percentile(summary, name))
        for summary in _TIMES
        for name in PERCENTILES
    ]
    return [*declared, *of_times]


FIGURES: Mapping[str, Figure] = {each.name: each for each in _figures()}
"""The figures by name, the percentiles of times last."""
