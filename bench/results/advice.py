"""What to run, and the estimated gain of a change, as values."""

from dataclasses import dataclass
from enum import Enum, auto

from .data_flow import DataFlow
from .records import CellResult


class CostKind(Enum):
    """A cost that a run can be made without."""

    CLIENT_CPU = auto()
    """The CPU that the agent and its client use."""

    MODEL_LIMITS = auto()
    """The limits of the model's server."""

    TOOL_CPU = auto()
    """The CPU that a tool uses."""

    TOOL_BLOCKING = auto()
    """A tool that blocks the event loop."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One cost of a cell.

    Attributes:
        kind: What it is.
        tool: The tool that has it; empty if it is no tool's.
    """

    kind: CostKind
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Gain:
    """The gain of taking a cost away.

    Attributes:
        cost: What was taken away.
        result: The cell without the cost.
        gain: By how much its throughput is higher, as a share.
    """

    cost: Cost
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
        data_flow: The data flow of one session, if that was found.
    """

    best: CellResult
    others: tuple[CellResult, ...]
    at_double_load: CellResult
    gains: tuple[Gain, ...]
    data_flow: DataFlow | None = None
