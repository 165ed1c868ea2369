"""The summary of a run in sentences: every word of the verdict stands here."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from ...bench.results.cell import NO_LOOP
from ...bench.results.finding_text import refused_host
from ...bench.results.formatting import (
    counted,
    listed,
    name,
    percent,
    plain,
    rate,
    seconds,
    session_rate,
    shortened,
    whole,
)
from ...bench.results.records import CellResult, Run, Status
from ...bench.results.refused_hosts import RefusedHost, summed_hosts
from ...bench.statistics.objectives import Objectives
from ...bench.statistics.ranking import judged_by
from ...bench.statistics.scaling import ScalingLaw
from .client_cost import ClientCost
from .fidelity import WorstDeviation
from .objectives import objectives_text, too_few_text
from .overlap_text import overlap_sentences
from .own_wait_text import ideal_name, where_lost
from .process_gain import CellGain, ProcessGain
from .ranking import ComparisonGroup, Ranking, grouped, is_serial, label, named
from .scaling import Goodput, Scaling, fits_well, has_knee_in_reach
from .service_tables import service_tables
from .summary import GroupSummary, Placing, Unsuccessful, placing, summarise, summarise_group
from .time_breakdown import TimeLost

TIME_LOST: Mapping[str, str] = MappingProxyType(
    {
        "serialised": "sessions ran tools one after another that could have overlapped",
        "admission": "sessions waited for a free thread or for the concurrency limit",
        "connection": "sessions waited for a free connection of the HTTP client",
        "ready": "sessions waited for the event loop or the GIL",
        "retry": "sessions spent time on failed attempts and back-off",
        "cpu": "sessions spent time computing",
        "remainder": "sessions waited inside your own code",
    }
)
"""What sessions lost time on, by the parts of ``TimeParts``."""

_INSIDE_A_SERVICE = "sessions waited inside the service, for something else than the model"

_COMPUTING = ("ready", "cpu")
_BLOCKED = 0.05
_LONGEST_REASON = 100
_HOSTS_NAMED = 3
_BREAK = "\n\n"
_OTHERS_NAMED = 5
_MOST_NAMED = 4
_STATUS: Mapping[Status, str] = MappingProxyType(
    {Status.FAILED: "Failed", Status.NOT_APPLICABLE: "Not applicable"}
)


def verdict(run: Run) -> tuple[str, ...]:
    """Return the verdict on a run: a paragraph for each comparison group, then on the run.

    Args:
        run: The run.

    Returns:
        For each group its title, a colon, and a few sentences: which cells are not ranked, since
        requests were refused, with the tables that mock them, on lines of their own; who is
        fastest at the highest concurrency and how near the ideal, how far behind the others are,
        where a lower concurrency has another leader, where throughput ends, what sessions lost
        time on, which waits could overlap, and what failed or does not apply. Then what
        more processes carry, what the HTTP client costs, and how accurate the warp clock was, where
        that was measured.
    """
    summary = summarise(run)
    return (
        *(_paragraph(each, has_tables=True) for each in summary.groups),
        *map(process_gain_sentence, summary.process_gains),
        *map(client_cost_sentence, summary.client_costs),
        *fidelity_sentences(summary.deviations, len(run.fidelity)),
    )


def group_verdict(group: ComparisonGroup, objectives: Objectives | None = None) -> str:
    """Return the verdict on one comparison group."""
    return _paragraph(summarise_group(group, objectives))


def title(group: ComparisonGroup) -> str:
    """Return the title of a group: its scenario, and what sets it apart from the others."""
    scenario = name(group.scenario)
    return f"{scenario} ({plain(group.name)})" if group.name else scenario


def sessions_lost(cell: CellResult) -> str:
    """Say how many sessions of a cell did not succeed, and how they ended; empty if none."""
    counts = cell.sessions
    ended = {
        "failed": counts.failed,
        "timed out": counts.timed_out,
        "cancelled": counts.cancelled,
    }
    return ", ".join(f"{whole(count)} {how}" for how, count in ended.items() if count)


def law_text(law: ScalingLaw, greatest_load: int) -> str:
    """Say where throughput ends by a scaling law, as what a subject follows.

    Args:
        law: The law.
        greatest_load: The greatest concurrency that was measured.
    """
    by = f"(fitted, error {percent(law.error)})"
    if not has_knee_in_reach(law, greatest_load):
        return f"has no knee up to concurrency {whole(greatest_load)} {by}"
    most = session_rate(law.saturation_per_s)
    if law.knee is None:
        return f"levels off at {most} {by}"
    return f"peaks at {most}, at concurrency {whole(round(law.knee))} {by}"


def scaling_sentence(scaling: Scaling) -> str:
    """Say where the throughput of the best series ends."""
    series = label(scaling.best.cell)
    if not fits_well(scaling.law):
        return f"Knee of {series} not reported: the fit is poor ({percent(scaling.law.error)})."
    return f"{series} {law_text(scaling.law, scaling.greatest_load)}."


def goodput_sentence(goodput: Goodput) -> str:
    """Say which cell has the highest throughput among those that meet the objectives."""
    objectives, leader = goodput.objectives, goodput.leader
    what = objectives_text(objectives)
    if leader is None:
        most = "" if goodput.most is None else f" {_greatest_goodput(goodput.most, objectives)}"
        if goodput.unreported is None:
            return f"No cell meets {what}.{most}"
        return f"No answer on {what}: {too_few_text(goodput.unreported)}.{most}"
    return (
        f"With {what}, {named(goodput.alike)} {_has(goodput.alike)} the highest throughput: "
        f"{session_rate(leader.throughput_per_s)} at concurrency "
        f"{whole(leader.cell.concurrency)}{_goodput_share(leader, objectives)} (measured)."
    )


def _greatest_goodput(cell: CellResult, objectives: Objectives) -> str:
    return (
        f"Goodput, the sessions within every limit, is greatest with {named([cell])}: "
        f"{session_rate(objectives.goodput_per_s(cell))} at concurrency "
        f"{whole(cell.cell.concurrency)}."
    )


def _goodput_share(cell: CellResult, objectives: Objectives) -> str:
    """Say how many of a cell's sessions are within every limit; empty if that is not known."""
    per_s = objectives.goodput_per_s(cell)
    return "" if per_s is None else f", goodput {session_rate(per_s)}"


def time_sentence(lost: TimeLost) -> str:
    """Say what sessions lost time on, with the share of their time for each strategy."""
    alike = grouped(lost.losers, lambda loser: percent(loser[0]))
    (first, cells), *others = list(alike.items())[:_MOST_NAMED]
    shares = [f"{first} of their time with {named(cell for _, cell in cells)}"]
    shares += [f"{share} with {named(cell for _, cell in group)}" for share, group in others]
    if len(alike) > _MOST_NAMED:
        shares.append("less with the others")
    _, worst = lost.losers[0]
    where = where_lost(lost.part, worst)
    is_outside = lost.part == "remainder" and worst.service is not None
    what = _INSIDE_A_SERVICE if is_outside else TIME_LOST[lost.part]
    return f"At concurrency {whole(lost.load)}, {what} ({', '.join(shares)}){where}."


def process_gain_sentence(gain: ProcessGain) -> str:
    """Say how many times as many sessions several processes carry as one, and how sure that is."""
    first, *others = gain.gains
    parts = [_times(first, " as many sessions as one"), *map(_times, others)]
    said = (
        f"{name(gain.scenario)} ({name(gain.target)}): at concurrency {whole(gain.load)}, "
        f"{whole(gain.processes)} processes carry {listed(parts)}."
    )
    intervals = [each.interval for each in gain.gains if each.interval is not None]
    unsure = any(each.low <= 1 <= each.high for each in intervals)
    return f"{said} An interval that contains 1 shows no difference." if unsure else said


def _times(gain: CellGain, as_what: str = "") -> str:
    between = gain.interval
    how_sure = f" ({between.low:.2f} to {between.high:.2f})" if between is not None else ""
    return f"{gain.times:.2f} times{as_what} with {label(gain.result.cell)}{how_sure}"


def client_cost_sentence(cost: ClientCost) -> str:
    """Say what a model call costs over sockets above one in-process."""
    parts = [
        f"{seconds(abs(cost_s))} {'more' if cost_s >= 0 else 'less'} with {label(result.cell)}"
        for result, cost_s in cost.costs_s
    ]
    return (
        f"{name(cost.scenario)} ({name(cost.target)}, {name(cost.transport)}): at concurrency "
        f"{whole(cost.load)}, CPU per model call compared with in-process is {listed(parts)}. "
        "The difference is the HTTP client's cost, less the mock's own."
    )


def fidelity_sentences(worst: Sequence[WorstDeviation], cells: int) -> tuple[str, ...]:
    """Say how accurate the warp clock was, if that was measured.

    Args:
        worst: The worst deviation of each figure.
        cells: In how many cells it was measured.
    """
    if not worst:
        return ()
    parts = [
        f"{each.figure} within {abs(each.share) * 100:.1f} % "
        f"({label(each.cell)} at concurrency {whole(each.cell.concurrency)})"
        for each in worst
    ]
    return (
        f"Accuracy of the warp clock against wall time, in {counted(cells, 'cell')}: "
        f"{listed(parts)}.",
    )


def refused_text(cells: Sequence[CellResult]) -> str:
    """Say to which hosts requests were refused that cost much of the time of cells, and how much.

    Args:
        cells: The cells, at least one.
    """
    hosts = listed([refused_host(each.host) for each in _costly_hosts(cells)[:_HOSTS_NAMED]])
    most = percent(max(cell.refused_share for cell in cells))
    up_to = "up to " if len({percent(cell.refused_share) for cell in cells}) > 1 else ""
    return (
        f"requests to {hosts} were refused, since nothing mocks them, and cost {up_to}{most} of "
        "the sessions' time"
    )


def _costly_hosts(cells: Iterable[CellResult]) -> tuple[RefusedHost, ...]:
    hosts = summed_hosts(host for cell in cells for host in cell.refused)
    return tuple(host for host in hosts if host.cost_s > 0)


def _not_ranked(summary: GroupSummary, *, has_tables: bool) -> list[str]:
    """Say which cells are not ranked, and what to add to the scenario."""
    cells = summary.distorted
    if not cells:
        return []
    ranked = [
        cell
        for cell in summary.group.cells
        if cell.status is Status.MEASURED and cell.is_undistorted
    ]
    who = f"{named(cells)} {'are' if _several(cells) else 'is'} not" if ranked else "no cell is"
    text = refused_text(cells)
    sentence = f"{text[0].upper()}{text[1:]}, so {who} ranked."
    tables = service_tables(_costly_hosts(cells))
    if not has_tables or not tables:
        return [sentence]
    return [f"{sentence} Add to the scenario, with its real latency:{_BREAK}{tables}{_BREAK}"]


def _paragraph(summary: GroupSummary, *, has_tables: bool = False) -> str:
    sentences = [
        *_not_ranked(summary, has_tables=has_tables),
        *_leading(summary),
        *([scaling_sentence(summary.scaling)] if summary.scaling else []),
        *([goodput_sentence(summary.goodput)] if summary.goodput else []),
        *map(time_sentence, summary.times_lost),
        *_profile_hint(summary),
        *(overlap_sentences(summary.data_flow) if summary.data_flow else ()),
        *map(_unsuccessful, summary.unsuccessful),
    ]
    return f"{title(summary.group)}: {' '.join(sentences).replace(f'{_BREAK} ', _BREAK).strip()}"


def _profile_hint(summary: GroupSummary) -> list[str]:
    """Refer to the profile where computing took time, and no warning of a blocked loop says whose.

    A plain lock of threads is invisible to the clock, and counts as time in which others compute.
    """
    cells = [
        cell
        for lost in summary.times_lost
        if lost.part in _COMPUTING
        and not any(cell.service is not None for _, cell in lost.losers)
        and not any(_was_blocked(cell) for _, cell in lost.losers)
        for _, cell in lost.losers
    ]
    locks = " or waited for a lock" if any(cell.cell.loop == NO_LOOP for cell in cells) else ""
    return [f"warpbench profile shows whose code ran{locks}."] if cells else []


def _was_blocked(cell: CellResult) -> bool:
    """Whether single pieces of code blocked the event loop for a good part of the time."""
    blocked_s = sum(blocker.total_s for blocker in cell.loop_blockers)
    return blocked_s >= _BLOCKED * cell.trials * (cell.makespan_s or 0.0) > 0


def _leaks(leaking: Sequence[CellResult]) -> list[str]:
    """Say how many sessions took up text of others, before anything of how fast they were."""
    if not leaking:
        return []
    first, others = leaking[0], len(leaking) - 1
    of = counted(first.sessions.started, "session")
    more = f", and so did some in {counted(others, 'other cell')}" if others else ""
    return [
        f"{whole(first.isolation.leaked_sessions)} of {of} took up text of another one with "
        f"{named([first])} at concurrency {whole(first.cell.concurrency)}{more}: "
        "warpbench explore shows the smallest case."
    ]


def _leading(summary: GroupSummary) -> list[str]:
    group, sentences = summary.group, _leaks(summary.leaking)
    if summary.took_no_time:
        load = counted(group.loads[-1], "session")
        return [*sentences, f"{load} took no time, so there is nothing to compare."]
    if summary.failed_load is not None:
        sentences.append(f"Every strategy failed at concurrency {whole(summary.failed_load)}.")
    if summary.peaks:
        sentences.append(_peaks(summary.peaks))
    if summary.ranking is not None:
        sentences += _headline(group, summary.ranking)
        sentences += [
            f"Fastest on {name(result.cell.loop)}: {name(result.cell.strategy)}, "
            f"{_of_ideal(group, result, summary.ranking.load)}."
            for result in summary.loops_behind
        ]
        sentences += _lost(summary.ranking)
        sentences += [_other_leader(group, ranking) for ranking in summary.other_rankings]
    return sentences


def _peaks(peaks: Iterable[CellResult]) -> str:
    parts = [
        f"{named([result])} {session_rate(result.throughput_per_s)} at concurrency "
        f"{whole(result.cell.concurrency)}"
        for result in peaks
    ]
    return f"Highest throughput of each: {listed(parts)}."


def _headline(group: ComparisonGroup, ranking: Ranking) -> list[str]:
    """Say who leads, who can't be ranked, and how the other strategies do."""
    placed, load = placing(ranking), ranking.load
    sentences = [f"At concurrency {whole(load)}, {_lead(group, placed, load)}."]
    if placed.unranked:
        sentences.append(_unranked(group, placed, load))
    others = [
        f"{name(result.cell.strategy)}{' (one at a time)' if is_serial(result) else ''} "
        f"{_share(group, result, load)}"
        for result in placed.behind
    ]
    if len(others) > _OTHERS_NAMED:
        worst = _share(group, placed.behind[-1], load)
        more = f"{len(others) - _OTHERS_NAMED + 1} more down to {worst}"
        others = [*others[: _OTHERS_NAMED - 1], more]
    if others:
        sentences.append(f"Behind: {listed(others)}.")
    return sentences


def _lead(group: ComparisonGroup, placed: Placing, load: int) -> str:
    if len(placed.cells) == 1:  # there is nobody to compare it with
        return f"{named(placed.cells)} reaches {_figures(group, placed.cells[0], load)}"
    if not placed.leaders:
        best = placed.unranked[0]
        return f"no lead is shown: {named([best])} is in front with {_figures(group, best, load)}"
    best, worst = placed.leaders[0], placed.leaders[-1]
    figures = _figures(group, best, load)
    if not _several(placed.leaders):
        return f"{named(placed.leaders)} is fastest: {figures}"
    least, most = _share(group, worst, load), _share(group, best, load)
    down = f", the last of them {least}" if least != most else ""
    return f"{named(placed.leaders)} are statistically tied: {figures}{down}"


def _unranked(group: ComparisonGroup, placed: Placing, load: int) -> str:
    """Say who can't be ranked, and what to do about it."""
    if all(len(cell.trial_figures) == 1 for cell in placed.unranked):
        return "One trial ranks nobody: run more of them, as with --trials 3."
    others = placed.unranked if placed.leaders else placed.unranked[1:]
    # The last of them comes last.
    more = " or more" if others[1:] else ""
    return (
        f"Too noisy to rank: {named(others)} ({_share(group, others[-1], load)}{more}); more "
        "trials tell, as with --budget 2m."
    )


def _lost(ranking: Ranking) -> list[str]:
    """Say which sessions of those in front did not succeed: a lead that loses work is none."""
    return [
        f"Not all sessions of {named([cell])} succeeded ({sessions_lost(cell)} of "
        f"{whole(cell.sessions.started)})."
        for cell in ranking.in_front
        if sessions_lost(cell)
    ]


def _other_leader(group: ComparisonGroup, ranking: Ranking) -> str:
    placed = placing(ranking)
    return f"At concurrency {whole(ranking.load)}, {_lead(group, placed, ranking.load)}."


def _unsuccessful(found: Unsuccessful) -> str:
    loads = listed([whole(load) for load in found.loads]) if found.loads else ""
    where = f" at concurrency {loads}" if loads else ""
    reason = shortened(plain(found.error), _LONGEST_REASON).rstrip(".")
    why = f" ({reason})" if reason else ""
    return f"{_STATUS[found.status]}: {named(found.cells)}{where}{why}."


def _several(cells: Iterable[CellResult]) -> bool:
    return len({(result.cell.strategy, result.cell.loop) for result in cells}) > 1


def _has(cells: Iterable[CellResult]) -> str:
    return "have" if _several(cells) else "has"


def _figures(group: ComparisonGroup, cell: CellResult, load: int) -> str:
    """Return the throughput of a cell and its share of the ideal; in an open loop its latency."""
    share = _share(group, cell, load)
    if not share.endswith("%"):
        return share
    share = f"{share} of {ideal_name(cell)}"
    if judged_by(cell) is not None or not cell.sessions.all_succeeded:
        return share
    if cell.throughput_per_s is None:
        return share
    return f"{session_rate(cell.throughput_per_s)}, {share}"


def _of_ideal(group: ComparisonGroup, cell: CellResult, load: int) -> str:
    share = _share(group, cell, load)
    return f"{share} of the ideal" if share.endswith("%") else share


def _share(group: ComparisonGroup, cell: CellResult, load: int) -> str:
    """Return the share of the ideal that a cell reached; its throughput, if sessions were lost.

    In an open loop the ideal's throughput is what arrives: there it is the latency that tells.
    """
    figure = judged_by(cell)
    if figure is not None and cell.sessions.all_succeeded:
        return f"{figure} {seconds(getattr(cell.latency_s, figure))}"
    share = group.share_of_ideal(cell, load)
    if share is not None:
        return percent(share)
    if cell.sessions.all_succeeded:
        return session_rate(cell.throughput_per_s)
    return f"{rate(cell.throughput_per_s)} with sessions lost"
