"""How far ``warp`` is off real waiting, in a sentence and as rows of a table."""

from collections.abc import Sequence

from ...bench.results.cell import NO_LOOP
from ...bench.results.formatting import DASH, counted, listed, name, seconds, whole
from ...bench.results.records import Fidelity, Run
from .ranking import label

HEADINGS = (
    *("scenario", "strategy", "loop", "at once", "sessions"),
    *("wall", "warp", "makespan", "p50", "p99", "sooner"),
)


def fidelity_rows(fidelity: Sequence[Fidelity]) -> list[tuple[str, ...]]:
    """Return a row for each cell under ``HEADINGS``: by how much ``warp`` is off, in percent."""
    return [
        (
            name(one.cell.scenario),
            name(one.cell.strategy),
            DASH if one.cell.loop == NO_LOOP else name(one.cell.loop),
            whole(one.cell.concurrency),
            whole(one.cell.session_count),
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
    worst = []
    for what, figure in (("makespan", "makespan_s"), ("p99", "p99_s")):
        known = [
            (abs(off), one) for one in run.fidelity if (off := one.deviation(figure)) is not None
        ]
        if known:
            off, one = max(known, key=lambda entry: entry[0])
            worst.append(f"{what} is off by {off * 100:.1f} % at most ({_label(one)})")
    if not worst:
        return ()
    return (f"Against real waiting, in {counted(len(run.fidelity), 'cell')}: {listed(worst)}.",)


def _label(one: Fidelity) -> str:
    return f"{label(one.cell)} at {whole(one.cell.concurrency)}"


def _off(deviation: float | None) -> str:
    return DASH if deviation is None else f"{deviation * 100:+.2f} %"
