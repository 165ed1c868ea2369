"""How a run scales, in words: where throughput ends, as fitted, and goodput, as measured."""

from ...bench.results.formatting import counted, percent, rate, whole
from ...bench.results.records import Run, Status
from ...bench.statistics.scaling import Objective, ScalingLaw, goodput, law_of, parse_objective
from .ranking import Field, Series, is_level, label, named

_WORST_FIT = 0.1
_WITHIN_REACH = 4


def fitted_law(series: Series) -> ScalingLaw | None:
    """Return the law of a line of the throughput chart, if it has the loads to carry it."""
    return None if series.serial else law_of(series.cells)


def fits_well(law: ScalingLaw | None) -> bool:
    """Whether a law fits well enough to tell anything."""
    return law is not None and law.error <= _WORST_FIT


def objective_of(run: Run) -> Objective | None:
    """Return the latency objective that a run was asked for."""
    return None if run.objective is None else parse_objective(run.objective)


def scaling_sentences(field: Field) -> list[str]:
    """Say where the line that carries most has its knee, by the law fitted to it."""
    best = next(iter(field.best_of_series), None)
    if best is None:
        return []
    lines = {(series.strategy, series.loop): series for series in field.series}
    law = fitted_law(lines[best.cell.strategy, best.cell.loop])
    if law is None:
        return []
    if not fits_well(law):
        return [
            f"The scalability law does not fit {label(best.cell)} (error {percent(law.error)}): "
            "no knee is told."
        ]
    return [f"{label(best.cell)} {law_words(law, field.loads[-1])}."]


def law_words(law: ScalingLaw, greatest_load: int) -> str:
    """Say where throughput ends by a law, as what a subject follows.

    Args:
        law: The law.
        greatest_load: The greatest load that was measured.
    """
    by = f"fitted, error {percent(law.error)}"
    knee, most_per_s = law.knee, law.saturation_per_s
    if most_per_s is None or (knee is not None and knee > _WITHIN_REACH * greatest_load):
        return f"has no knee up to {whole(greatest_load)} at once ({by})"
    if knee is None:
        return f"levels off towards {rate(most_per_s)} ({by})"
    most = f"{rate(most_per_s)}, with {counted(round(knee), 'session')} at once"
    return f"carries most, {most} ({by})"


def goodput_sentences(field: Field, objective: Objective) -> list[str]:
    """Say which load each strategy carries at most while it keeps the objective."""
    found = []
    for series in field.series:
        best = goodput(series.cells, objective)
        if best is not None:
            found.append(best)
    what = f"{objective.figure} of at most {objective.limit_s:g} s"
    if not found:
        measured = [
            result
            for series in field.series
            for result in series.cells
            if result.status is Status.MEASURED and result.sessions.all_succeeded
        ]
        if not all(map(objective.is_reported_by, measured)):
            return [
                f"Whether a cell keeps a {what} cannot be told: a {objective.figure} takes "
                f"{counted(objective.sessions, 'session')}."
            ]
        return [f"No cell keeps a {what}."]
    leader = max(found, key=lambda result: result.achieved_per_s)
    alike = [
        result
        for result in found
        if result.cell.concurrency == leader.cell.concurrency and is_level(leader, result)
    ]
    return [
        f"With a {what}, {named(alike)} carried most: {rate(leader.throughput_per_s)} with "
        f"{counted(leader.cell.concurrency, 'session')} at once (measured)."
    ]
