"""The gate's verdicts in the terminal: a line for each cell, and below it what changed."""

from rich.console import Console

from ...bench.results.verdict import CellVerdict, GateResult, Verdict

_MARKS = {
    Verdict.HELD: ("✓", "green"),
    Verdict.IMPROVED: ("▲", "cyan"),
    Verdict.REGRESSED: ("✗", "red"),
    Verdict.INCONCLUSIVE: ("~", "yellow"),
    Verdict.NOT_JUDGED: ("?", "yellow"),
}


def print_gate(result: GateResult, console: Console) -> None:
    """Print the verdicts."""
    for cell in result.cells:
        _print_cell(cell, console)
    for note in result.notes:
        _line(console, f"  {note}", "dim")
    _, style = _MARKS[result.verdict]
    _line(console, sentence(result), f"bold {style}")


def sentence(result: GateResult) -> str:
    """Say the verdict on all cells in a sentence."""
    total = len({each.cell for each in result.cells})
    count = len({each.cell for each in result.cells if each.verdict is result.verdict})
    cells = f"{count} of {total} cell{'' if total == 1 else 's'}"
    match result.verdict:
        case Verdict.IMPROVED:
            return (
                f"improved: {cells}; write a new baseline (`warpbench baseline`), or it can be "
                "lost again unseen"
            )
        case Verdict.HELD:
            timed = any(each.tier for each in result.cells)
            all_cells = cells.partition(" of ")[2]
            return f"held: {all_cells}{'' if timed else ', exactly as in the baseline'}"
        case _:
            return f"{result.verdict}: {cells}"


def _print_cell(cell: CellVerdict, console: Console) -> None:
    mark, style = _MARKS[cell.verdict]
    _line(console, f"{mark} {cell.title}: {cell.verdict}", style)
    if cell.reason is not None:
        _line(console, f"    {cell.reason}")
    for change in cell.changes:
        _line(console, f"    {change.text}", "red" if change.is_worse else "cyan")
    for note in cell.notes:
        _line(console, f"    {note}", "dim")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
