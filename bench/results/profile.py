"""Where the computing of a cell went, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyinstrument.session import Session

from .cell import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a profiler saw of one cell.

    Attributes:
        cell: The cell.
        session: Its samples, as pyinstrument has them.
        total_s: Seconds of computing that the samples stand for, over all threads.
        by_package: Seconds by whose code ran, the greatest first.
        by_function: Seconds by function, without the Python code it called, the greatest first.
    """

    cell: Cell
    session: Session
    total_s: float
    by_package: Mapping[str, float]
    by_function: Mapping[str, float]
