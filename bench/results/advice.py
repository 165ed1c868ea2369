"""What to run, and the estimated gain of a change, as values."""

from dataclasses import dataclass

from .records import CellResult


@dataclass(frozen=True, slots=True)
class Gain:
    """The gain of taking a cost away.

    Attributes:
        what: What was taken away, as the end of a sentence that begins with "if".
        result: The cell without the cost.
        gain: By how much its throughput is higher, as a share.
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
        at_double_load: The same strategy and loop at twice the load.
        gains: What would be gained there by taking a cost away, the greatest first.
    """

    best: CellResult
    others: tuple[CellResult, ...]
    at_double_load: CellResult
    gains: tuple[Gain, ...]
