"""``warpbench report``: the page and the charts of a run, made again from its file."""

from ..options import FileMessages, OptionalOut, RunFile


def report(
    run: RunFile,
    /,
    *,
    out: OptionalOut = None,
    messages: FileMessages = FileMessages(),
) -> int:
    """Regenerate the report."""
    from ..report import report as report_on

    return report_on(run, out, messages)
