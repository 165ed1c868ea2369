"""The gate's verdicts in the terminal: a line for each cell, and below it what changed."""

from rich.console import Console

from ...bench.results.verdict import CellVerdict, GateResult, Verdict
from ..comparison.gate import change_text, note_text, reason_text, sentence
from ..comparison.objectives import objective_text

_MARKS = {
    Verdict.PASSED: ("✓", "green"),
    Verdict.IMPROVED: ("▲", "cyan"),
    Verdict.REGRESSED: ("✗", "red"),
    Verdict.MISSED: ("✗", "red"),
    Verdict.INCONCLUSIVE: ("~", "yellow"),
    Verdict.COULD_NOT_JUDGE: ("?", "yellow"),
}


def print_gate(result: GateResult, console: Console) -> None:
    """Print the verdicts."""
    for cell in result.cells:
        _print_cell(cell, console)
    for note in result.notes:
        _line(console, f"  {note}", "dim")
    _, style = _MARKS[result.verdict]
    _line(console, sentence(result), f"bold {style}")


def _print_cell(cell: CellVerdict, console: Console) -> None:
    mark, style = _MARKS[cell.verdict]
    _line(console, f"{mark} {cell.title}: {cell.verdict}", style)
    if cell.reason is not None:
        _line(console, f"    {reason_text(cell.reason)}")
    for change in cell.changes:
        _line(console, f"    {change_text(change)}", "red" if change.is_worse else "cyan")
    for objective in cell.objectives:
        style = "dim" if objective.is_met else "red"
        _line(console, f"    {objective_text(objective)}", style)
    for note in cell.notes:
        _line(console, f"    {note_text(note)}", "dim")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
