"""How far ``warp`` is off real waiting, in a sentence and as rows of a table."""

from collections.abc import Sequence

from ..bench.record import Fidelity, Run
from .comparison import label
from .units import DASH, counted, name, seconds, whole

HEADINGS = (
    *("scenario", "strategy", "loop", "at once", "sessions"),
    *("wall", "warp", "makespan", "p50", "p99", "sooner"),
)


def fidelity_rows(fidelity: Sequence[Fidelity]) -> list[tuple[str, ...]]:
    """Return a row for each cell under ``HEADINGS``: by how much ``warp`` is off, in percent."""
    return [
        (
            name(one.scenario),
            name(one.strategy),
            DASH if one.loop == "none" else name(one.loop),
            whole(one.concurrency),
            whole(one.session_count),
            seconds(one.wall.makespan_s),
            seconds(one.warp.makespan_s),
            _off(one.deviation("makespan_s")),
            _off(one.deviation("p50_s")),
            _off(one.deviation("p99_s")),
            DASH if one.speed_up is None else f"{one.speed_up:,.0f} times",
        )
        for one in fidelity
    ]


def fidelity_markdown(fidelity: Sequence[Fidelity]) -> str:
    """Return the same as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(row)} |" for row in fidelity_rows(fidelity)]
    return "\n".join(lines)


def fidelity_sentences(run: Run) -> tuple[str, ...]:
    """Say by how much ``warp`` is off at most, if that was measured."""
    known = [
        (abs(off), figure, one)
        for one in run.fidelity
        for figure, off in (
            ("makespan", one.deviation("makespan_s")),
            ("p99", one.deviation("p99_s")),
        )
        if off is not None
    ]
    if not known:
        return ()
    sentences = []
    for figure in ("makespan", "p99"):
        of_figure = [entry for entry in known if entry[1] == figure]
        if of_figure:
            worst, _, one = max(of_figure, key=lambda entry: entry[0])
            sentences.append(f"{figure} is off by {worst * 100:.1f} % at most ({label_of(one)})")
    return (
        f"Against real waiting, in {counted(len(run.fidelity), 'cell')}: "
        f"{' and '.join(sentences)}.",
    )


def label_of(one: Fidelity) -> str:
    """Name a cell by strategy, loop and load."""
    return f"{label(one)} at {whole(one.concurrency)}"


def _off(deviation: float | None) -> str:
    return DASH if deviation is None else f"{deviation * 100:+.2f} %"
