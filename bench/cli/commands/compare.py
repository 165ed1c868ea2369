"""``warpbench compare``: what changed between runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import names
from ..options import FACTORS, OUTPUT, FileMessages, OptionalOut, RunFile
from ..values import names as names_of


def compare(
    *runs: RunFile,
    match: Annotated[
        tuple[str, ...],
        names_of(names.identities),
        Parameter(
            group=FACTORS,
            help="In what cells must agree to be compared, as strategy,loop,concurrency across "
            "targets. Default: in all that was asked for.",
        ),
    ] = (),
    markdown: Annotated[
        Path | None,
        Parameter(metavar="FILE", group=OUTPUT, help="Write the comparison as Markdown."),
    ] = None,
    out: OptionalOut = None,
    messages: FileMessages = FileMessages(),
) -> int:
    """Compare runs with the first."""
    from ..compare import compare as compare_all

    return compare_all(runs, match, markdown, out, messages)
