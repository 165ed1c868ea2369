"""The report's files, made from a run alone: the page and the charts.

A run's results file is the only link between running and reporting: whoever has it can make
each of these files again.
"""

from pathlib import Path

from ...bench.results.json_file import write_text
from ...bench.results.records import Run
from ...mocks.errors import UsageError

PAGE = "report.html"
PROFILE_PAGE = "profile.html"
"""What ``warpbench profile`` writes; a report beside it leads there."""


def write_report(run: Run, folder: Path | str) -> list[Path]:
    """Write the page and the charts of a run.

    Args:
        run: The run, as it was measured or as ``run_file.read_run`` read it.
        folder: Where to; it is made where it is missing.

    Returns:
        The files that were written, the page first.

    Raises:
        UsageError: A file cannot be written.
    """
    # Here and not above: together these take most of a second to import, which a command
    # that makes no report should not pay.
    from ..charts.render import render_charts, save_charts  # noqa: PLC0415
    from .page import render_page  # noqa: PLC0415

    charts = render_charts(run)
    place = Path(folder)
    page = place / PAGE
    profile = PROFILE_PAGE if (place / PROFILE_PAGE).exists() else None
    write_text(page, render_page(run, charts, profile), UsageError)
    return [page, *save_charts(charts, place)]
