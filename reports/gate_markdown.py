"""The gate's verdicts as Markdown, for a pull request."""

import re
from collections.abc import Iterator

from ..bench.gate.verdict import CellVerdict, GateResult, Verdict
from .gate_text import sentence

_MARKS = {
    Verdict.HELD: "✅",
    Verdict.IMPROVED: "⬆️",
    Verdict.REGRESSED: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.NOT_JUDGED: "❔",
}


def gate_markdown(result: GateResult) -> str:
    """Return the verdicts: those that need a reader's eye open, the others folded."""
    held = [cell for cell in result.cells if cell.verdict is Verdict.HELD]
    lines = [f"### warpbench: {_escape(sentence(result))}", ""]
    for cell in result.cells:
        if cell.verdict is not Verdict.HELD:
            lines += _lines_of(cell)
    if held:
        lines += ["<details><summary>held</summary>", ""]
        lines += [f"- {_MARKS[Verdict.HELD]} {_escape(cell.title)}" for cell in held]
        lines += ["", "</details>"]
    for note in result.notes:
        lines += ["", f"{note[:1].upper()}{_escape(note[1:])}."]
    return "\n".join(lines) + "\n\n"


def _lines_of(cell: CellVerdict) -> Iterator[str]:
    yield f"- {_MARKS[cell.verdict]} **{_escape(cell.title)}** {cell.verdict}"
    if cell.reason is not None:
        yield f"  - {_escape(cell.reason)}"
    for change in cell.changes:
        yield f"  - {'worse' if change.is_worse else 'better'}: {_escape(change.text)}"
    for note in cell.notes:
        yield f"  - {_escape(note)}"


def _escape(text: str) -> str:
    # Names come from files; what Markdown or HTML would read in them is taken literally.
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
