"""The gate's verdicts as Markdown, for a pull request."""

from collections.abc import Iterator

from ...bench.results.formatting import escaped
from ...bench.results.verdict import CellVerdict, GateResult, Verdict
from ..comparison.gate import change_text, note_text, reason_text, sentence
from ..comparison.objectives import objective_text

_MARKS = {
    Verdict.PASSED: "✅",
    Verdict.IMPROVED: "⬆️",
    Verdict.REGRESSED: "❌",
    Verdict.MISSED: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.COULD_NOT_JUDGE: "❔",
}


def gate_markdown(result: GateResult) -> str:
    """Return the verdicts: cells that passed are folded, the others are open."""
    passed = [cell for cell in result.cells if cell.verdict is Verdict.PASSED]
    lines = [f"### warpbench: {escaped(sentence(result))}", ""]
    for cell in result.cells:
        if cell.verdict is not Verdict.PASSED:
            lines += _lines_of(cell)
    if passed:
        lines += ["<details><summary>passed</summary>", ""]
        for cell in passed:
            lines.append(f"- {_MARKS[Verdict.PASSED]} {escaped(cell.title)}")
            lines += [f"  - {escaped(note_text(note))}" for note in cell.notes]
        lines += ["", "</details>"]
    for note in result.notes:
        lines += ["", f"{note[:1].upper()}{escaped(note[1:])}."]
    return "\n".join(lines) + "\n\n"


def _lines_of(cell: CellVerdict) -> Iterator[str]:
    yield f"- {_MARKS[cell.verdict]} **{escaped(cell.title)}** {cell.verdict}"
    if cell.reason is not None:
        yield f"  - {escaped(reason_text(cell.reason))}"
    for change in cell.changes:
        yield f"  - {'worse' if change.is_worse else 'better'}: {escaped(change_text(change))}"
    for objective in cell.objectives:
        yield f"  - {escaped(objective_text(objective))}"
    for note in cell.notes:
        yield f"  - {escaped(note_text(note))}"
