"""What ``warpbench profile`` does: shows where the sessions' CPU time goes, cell beside cell."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...mocks.errors import UsageError
from ...mocks.standard_output import printing_to_stderr
from ...mocks.transports.registry import RESPX
from ...reports.html.write import PAGE, write_report
from ..results.run_file import RUN_FILE, read_run
from ..runner.plan import cells_of
from ..trial.spec import NotApplicable
from .commands.profile import ProfileOptions
from .exit_status import DONE
from .factors import clock_for, factors_of, folder
from .options import Messages
from .progress import announced
from .showing import show_paths

if TYPE_CHECKING:
    from ..results.profile import Profile

_MOST_CELLS = 6


def profile(scenarios: Sequence[str], options: ProfileOptions, messages: Messages) -> int:
    """Profile the cells; return the exit status."""
    # pyinstrument and the template engine take a while to import.
    from ...reports.html.profiles import tables, write_profiles  # noqa: PLC0415
    from ..trial.profiling import profile_cell  # noqa: PLC0415

    factors = factors_of(
        scenarios,
        options,
        clock=clock_for(options.clock, (RESPX.name,)),
        concurrency=options.concurrency,
    )
    specs = cells_of(factors)
    if len(specs) > _MOST_CELLS:
        raise UsageError(
            f"profile: {len(specs)} cells are more than can be read side by side; choose "
            f"{_MOST_CELLS} at most by --strategy, --loop and --concurrency"
        )
    begun = announced(specs, messages)
    out, console = folder(options.out), Console()
    profiles: list[Profile] = []
    for spec in begun:
        with printing_to_stderr():  # the target runs in this process
            found = profile_cell(spec)
        if isinstance(found, NotApplicable):
            text = f"{spec.cell.name}: not applicable, {found.reason}"
            console.print(text, markup=False, highlight=False)
        else:
            profiles.append(found)
    if not profiles:
        raise UsageError("profile: none of these cells applies to the target")
    for table in tables(profiles):
        shown = Table(box=None, pad_edge=False, header_style="bold")
        shown.add_column(table.what)
        for cell in table.cells:
            shown.add_column(Text(cell), justify="right")
        for row in table.rows:
            shown.add_row(Text(row.name), *(Text(share.text) for share in row.shares))
        console.print(shown)
        console.print()
    has_run = (out / RUN_FILE).exists()
    paths = write_profiles(profiles, out, PAGE if has_run else None)
    if has_run:
        write_report(read_run(out / RUN_FILE), out)
    show_paths(paths, console, messages)
    return DONE
