"""``warpbench compare``: what changed between runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..options import OUTPUT, FileMessages, OptionalOut, RunFile


def compare(
    *runs: RunFile,
    markdown: Annotated[
        Path | None,
        Parameter(metavar="FILE", group=OUTPUT, help="Write the comparison as Markdown."),
    ] = None,
    out: OptionalOut = None,
    messages: FileMessages = FileMessages(),
) -> int:
    """Compare runs with the first."""
    from ..compare import compare as compare_all

    return compare_all(runs, markdown, out, messages)
