"""The gate's verdict, in a sentence."""

from ...bench.results.verdict import GateResult, Verdict


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
        case Verdict.PASSED:
            timed = any(each.tier for each in result.cells)
            all_cells = cells.partition(" of ")[2]
            return f"passed: {all_cells}{'' if timed else ', exactly as in the baseline'}"
        case _:
            return f"{result.verdict}: {cells}"
