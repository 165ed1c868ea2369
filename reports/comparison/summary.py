"""The verdict: what a run says about its strategies, in sentences."""

from collections.abc import Iterable

from ...bench.results.cell import NO_LOOP
from ...bench.results.formatting import (
    counted,
    listed,
    name,
    percent,
    plain,
    rate,
    seconds,
    shortened,
    whole,
)
from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.ranking import judged_by
from ...bench.statistics.scaling import Objective
from .client_cost import client_costs
from .fidelity import fidelity_sentences
from .ranking import Field, Standing, grouped, is_level, named, scenarios
from .scaling import goodput_sentences, objective_of, scaling_sentences
from .time_breakdown import time_sentences

_LONGEST_REASON = 100
_OTHERS_NAMED = 5


def verdict(run: Run) -> tuple[str, ...]:
    """Say who carried the highest load best, one paragraph for each field of a run.

    Args:
        run: The run.

    Returns:
        For each scenario (and for each target, clock and so on, where a scenario has
        several) the scenario's name, a colon, and a few sentences: who leads at the
        highest load and how near the ideal, how far the others come, where a lower load
        has another leader, what its sessions
        lost their time on, and what failed or does not apply. Then what the HTTP client costs,
        where the run has cells over sockets and in-process, and how true its clock was, where
        that was measured.
    """
    fields = (field for scenario in scenarios(run) for field in scenario.fields)
    objective = objective_of(run)
    return (
        *(group_verdict(field, objective) for field in fields),
        *client_costs(run),
        *fidelity_sentences(run),
    )


def group_verdict(field: Field, objective: Objective | None = None) -> str:
    """Say the verdict on one field."""
    sentences = [
        *_leading(field),
        *scaling_sentences(field),
        *([] if objective is None else goodput_sentences(field, objective)),
        *time_sentences(field),
        *_unsuccessful(field, Status.FAILED, "failed"),
        *_unsuccessful(field, Status.NOT_APPLICABLE, "not applicable"),
    ]
    return f"{title(field)}: {' '.join(sentences)}"


def title(field: Field) -> str:
    """Name a field: its scenario, and what sets it apart from the scenario's others."""
    scenario = name(field.scenario)
    return f"{scenario} ({plain(field.name)})" if field.name else scenario


def sessions_lost(cell: CellResult) -> str:
    """Say how many sessions of a cell did not succeed, and how they ended; empty if none."""
    counts = cell.sessions
    ended = {
        "failed": counts.failed,
        "timed out": counts.timed_out,
        "cancelled": counts.cancelled,
    }
    return ", ".join(f"{whole(count)} {how}" for how, count in ended.items() if count)


def _leading(field: Field) -> list[str]:
    loads = field.loads
    carried = [load for load in loads if field.ranking(load).best is not None]
    if any(_took_no_time(cell) for cell in field.at(loads[-1])):
        return [f"{counted(loads[-1], 'session')} took no time, so there is nothing to compare."]
    if field.is_swept and carried:
        return [_each_at_its_best(field)]
    if not carried:
        return [f"no strategy carried {counted(loads[-1], 'session')}."]
    sentences = []
    if carried[-1] != loads[-1]:
        sentences.append(f"no strategy carried {counted(loads[-1], 'session')}.")
    ranking = field.ranking(carried[-1])
    sentences += [
        _headline(field, ranking),
        *_trailing_loops(field, ranking),
        *_lost(ranking),
        *(
            _other_leader(field, field.ranking(load))
            for load in reversed(carried[:-1])
            if not _share_a_leader(ranking, field.ranking(load))
        ),
    ]
    return sentences


def _each_at_its_best(field: Field) -> str:
    parts = [
        f"{named([result])} {rate(result.throughput_per_s)} "
        f"with {whole(result.cell.concurrency)} at once"
        for result in field.best_of_series
        if result.throughput_per_s
    ]
    return f"each at the load at which it carries most: {listed(parts)}."


def _headline(field: Field, ranking: Standing) -> str:
    """Say who leads and how the other strategies do."""
    leaders = ranking.leaders
    best = leaders[0]
    load = counted(ranking.load, "session")
    behind = [result for result in leaders if not is_level(best, result)]
    if behind:
        # The last of them comes last.
        shares = f"{_share(field, behind[-1], ranking.load)}{' or more' if behind[1:] else ''}"
        level = [result for result in leaders if is_level(best, result)]
        head = (
            f"{named(level)} carried {load} at {_carried(field, best, ranking.load)}; by "
            f"these trials {named(behind)} cannot be told from that ({shares})"
        )
    elif _several(leaders):
        head = f"{named(leaders)} tie at {_carried(field, best, ranking.load)} with {load}"
    else:
        head = f"{named(leaders)} carried {load} at {_carried(field, best, ranking.load)}"
    leading = {result.cell.strategy for result in leaders}
    others: dict[str, CellResult] = {}
    for result in ranking.ranked:
        if result.cell.strategy not in leading:
            others.setdefault(result.cell.strategy, result)  # the first is its best
    rest = [
        f"{name(strategy)} at {_share(field, result, ranking.load)}"
        for strategy, result in others.items()
    ]
    if len(rest) > _OTHERS_NAMED:
        worst = list(others.values())[-1]
        more = f"{len(rest) - _OTHERS_NAMED + 1} more down to {_share(field, worst, ranking.load)}"
        rest = [*rest[: _OTHERS_NAMED - 1], more]
    return f"{head}; {listed(rest)}." if rest else f"{head}."


def _trailing_loops(field: Field, ranking: Standing) -> list[str]:
    """Say how near the other event loops come where the lead is on some loops only."""
    leading = {result.cell.loop for result in ranking.leaders} | {NO_LOOP}
    trailing: dict[str, CellResult] = {}
    for result in ranking.ranked:
        if result.cell.loop not in leading:
            trailing.setdefault(result.cell.loop, result)
    return [
        f"The best on {name(loop)} is {name(result.cell.strategy)} "
        f"at {_share(field, result, ranking.load)}."
        for loop, result in trailing.items()
    ]


def _lost(ranking: Standing) -> list[str]:
    """Say which sessions of the leaders did not succeed: a lead that loses work is none."""
    return [
        f"Of the {counted(cell.sessions.started, 'session')} of {named([cell])}"
        f" not all succeeded ({sessions_lost(cell)})."
        for cell in ranking.leaders
        if sessions_lost(cell)
    ]


def _other_leader(field: Field, ranking: Standing) -> str:
    leaders = ranking.leaders
    verb = "tie" if _several(leaders) else "leads"
    return (
        f"With {counted(ranking.load, 'session')} {named(leaders)} {verb}"
        f" at {_share(field, leaders[0], ranking.load)}."
    )


def _share_a_leader(one: Standing, other: Standing) -> bool:
    return not {_pair(cell) for cell in one.leaders}.isdisjoint(map(_pair, other.leaders))


def _unsuccessful(field: Field, status: Status, word: str) -> list[str]:
    """Name the cells that have no result, those with one reason together."""
    cells = [cell for cell in field.cells if cell.status is status]
    missing = {pair: _loads(of_pair) for pair, of_pair in grouped(cells, _pair).items()}
    asked = {pair: _loads(of_pair) for pair, of_pair in grouped(field.cells, _pair).items()}

    def at(cell: CellResult) -> tuple[int, ...]:
        """The loads to be named: none for a strategy that has no result at all."""
        pair = _pair(cell)
        return () if missing[pair] == asked[pair] else missing[pair]

    sentences = []
    for (error, loads), alike in grouped(cells, lambda cell: (cell.error, at(cell))).items():
        where = f" with {listed([whole(load) for load in loads])} at once" if loads else ""
        reason = shortened(plain(error or ""), _LONGEST_REASON).rstrip(".")
        why = f" ({reason})" if reason else ""
        sentences.append(f"{word.capitalize()}: {named(alike)}{where}{why}.")
    return sentences


def _loads(cells: Iterable[CellResult]) -> tuple[int, ...]:
    return tuple(result.cell.concurrency for result in cells)


def _took_no_time(cell: CellResult) -> bool:
    """Whether sessions succeeded at no cost: in virtual time, without a single wait."""
    return cell.makespan_s == 0 and cell.sessions.succeeded > 0


def _several(cells: Iterable[CellResult]) -> bool:
    return len({_pair(cell) for cell in cells}) > 1


def _carried(field: Field, cell: CellResult, load: int) -> str:
    share = _share(field, cell, load)
    return f"{share} of the ideal" if share.endswith("%") else share


def _share(field: Field, cell: CellResult, load: int) -> str:
    """How much of the ideal a cell reached; what it carried, where that says nothing.

    In an open loop the ideal's throughput is what arrives: there it is the latency that tells.
    """
    figure = judged_by(cell)
    if figure is not None and cell.sessions.all_succeeded:
        return f"a {figure} of {seconds(getattr(cell.latency_s, figure))}"
    share = field.share_of_ideal(cell, load)
    if share is not None:
        return percent(share)
    carried = rate(cell.throughput_per_s)
    return carried if cell.sessions.all_succeeded else f"{carried} with sessions lost"


def _pair(result: CellResult) -> tuple[str, str]:
    return result.cell.strategy, result.cell.loop
