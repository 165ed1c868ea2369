"""Accuracy of the warp clock: how far it is off real waiting, as values and rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...bench.results.cell import NO_LOOP, Cell
from ...bench.results.formatting import DASH, name, seconds, signed_percent, whole
from ...bench.results.records import Fidelity, Run

HEADINGS = (
    *("scenario", "strategy", "loop", "concurrency", "sessions"),
    *("wall", "warp", "makespan", "p50", "p99", "speed-up"),
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
            DASH if one.speed_up is None else f"{one.speed_up:,.0f}×",  # noqa: RUF001 (a times sign is meant)
        )
        for one in fidelity
    ]


def fidelity_markdown(fidelity: Sequence[Fidelity]) -> str:
    """Return the rows as a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(row)} |" for row in fidelity_rows(fidelity)]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class WorstDeviation:
    """By how much ``warp`` is off in the worst cell.

    Attributes:
        figure: Which figure: ``makespan``, ``p99``.
        share: The deviation as a share of the figure in ``wall``, with its sign.
        cell: The cell.
    """

    figure: str
    share: float
    cell: Cell


def worst_deviations(run: Run) -> tuple[WorstDeviation, ...]:
    """Return by how much ``warp`` is off at most in each figure, if that was measured."""
    worst = []
    for figure, attribute in (("makespan", "makespan_s"), ("p99", "p99_s")):
        known = [
            WorstDeviation(figure, off, one.cell)
            for one in run.fidelity
            if (off := one.deviation(attribute)) is not None
        ]
        if known:
            worst.append(max(known, key=lambda each: abs(each.share)))
    return tuple(worst)


def _off(deviation: float | None) -> str:
    return DASH if deviation is None else signed_percent(deviation, decimals=2)
