"""What to run, and what a change would gain, as values."""

from dataclasses import dataclass

from .records import CellResult


@dataclass(frozen=True, slots=True)
class Worth:
    """What came of a ``WhatIf``.

    Attributes:
        what: What was taken away.
        result: What the cell carried then.
        gain: By how much more, as a share.
    """

    what: str
    result: CellResult
    gain: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What to run.

    Attributes:
        best: The cell to run, as it was measured.
        others: The best load of each other strategy and loop, in descending throughput.
        strained: The same strategy and loop at twice the load.
        worths: What would be gained there by taking a cost away, the greatest first.
    """

    best: CellResult
    others: tuple[CellResult, ...]
    strained: CellResult
    worths: tuple[Worth, ...]
