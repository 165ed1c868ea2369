"""Two runs compared, as Markdown."""

from collections.abc import Sequence

from ...bench.results.formatting import escaped
from ..comparison.run_changes import HEADINGS, rows, summary
from ..comparison.runs_compared import RunsCompared


def compared_markdown(compared: RunsCompared, before: str, after: str) -> str:
    """Return the same as Markdown.

    Args:
        compared: The runs.
        before: What the earlier one is called.
        after: What the later one is called.
    """
    lines = [f"### warpbench: {escaped(before)} → {escaped(after)}", ""]
    if compared.changes:
        lines += [_line(HEADINGS), _line(["---"] * len(HEADINGS))]
        lines += [_line([escaped(text) for text in row]) for row in rows(compared)]
        lines.append("")
    lines += [escaped(sentence) for sentence in summary(compared)]
    return "\n".join(lines) + "\n"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
