"""What the gate says: of a change, of a cell, of all. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the gate says of a cell, or of all."""

    PASSED = "passed"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    COULD_NOT_JUDGE = "could not judge"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    Attributes:
        text: What, in words.
        is_worse: Whether it is worse; otherwise it is better.
    """

    text: str
    is_worse: bool


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """What the gate says of one cell.

    Attributes:
        cell: Name of the cell.
        verdict: The verdict.
        changes: What changed, causes first.
        reason: Why it could not be judged, else ``None``.
        notes: What a reader should know beside, and what changes no verdict.
        tier: The tier that speaks, unless it is those of the baseline file.
    """

    cell: str
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()
    tier: str = ""

    @property
    def title(self) -> str:
        """What the verdict is on."""
        return f"{self.cell} ({self.tier})" if self.tier else self.cell


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate says.

    Attributes:
        verdict: The verdict on all cells.
        cells: Those on each.
        notes: What a reader should know beside: versions that are not those of the baseline.
    """

    verdict: Verdict
    cells: tuple[CellVerdict, ...]
    notes: tuple[str, ...] = ()


def verdict_on(cell: str, changes: Iterable[Change], notes: Iterable[str] = ()) -> CellVerdict:
    """Judge a cell by its changes: if anything is worse, whatever is better beside it."""
    found = tuple(changes)
    if any(change.is_worse for change in found):
        verdict = Verdict.REGRESSED
    else:
        verdict = Verdict.IMPROVED if found else Verdict.PASSED
    return CellVerdict(cell, verdict, found, notes=tuple(notes))


def overall(verdicts: Iterable[CellVerdict]) -> Verdict:
    """Return the verdict on all cells: the worst of them."""
    found = {each.verdict for each in verdicts}
    order = (Verdict.REGRESSED, Verdict.COULD_NOT_JUDGE, Verdict.INCONCLUSIVE, Verdict.IMPROVED)
    return next((verdict for verdict in order if verdict in found), Verdict.PASSED)
