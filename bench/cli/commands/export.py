"""``warpbench export``: exports a run for another tool."""

from typing import Annotated

from cyclopts import Parameter

from .. import names
from ..options import OutFile, RunFile
from ..values import name


def export(
    format: Annotated[  # noqa: A002 - the name that the line on a wrong one gives
        str,
        name(names.exports, "FORMAT"),
        Parameter(name="FORMAT", help=f"{', '.join(names.exports())}."),
    ],
    run: RunFile,
    /,
    *,
    out: OutFile = None,
) -> int:
    """Export a run."""
    from ..export import export as write

    return write(format, run, out)
