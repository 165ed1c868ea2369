"""``warpbench history``: keep runs, and show the trend of a metric over runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import names
from ..options import Cells, Json
from ..values import any_name, name, several

_DEFAULT_METRIC = "makespan_s"


def history(
    store: Annotated[
        Path, Parameter(name="STORE", help="A folder of run files, or a file named *.sqlite.")
    ],
    /,
    *,
    add: Annotated[
        tuple[str, ...],
        several(any_name, "RUN"),
        Parameter(help="Keep these first: a run.json, or the folder that holds it."),
    ] = (),
    cell: Cells = (),
    metric: Annotated[str, name(names.metrics), Parameter(help="Whose trend.")] = _DEFAULT_METRIC,
    json: Json = False,
) -> int:
    """Show the trend of a metric."""
    from ..history import history as show

    return show(store, add, cell, metric, as_json=json)
