"""Advice in sentences, each with the figure that it rests on."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ...bench.results.advice import Advice, Cost, CostKind
from ...bench.results.finding_text import pool_setting
from ...bench.results.formatting import (
    code_place,
    counted,
    percent,
    seconds,
    session_rate,
    signed_percent,
    whole,
)
from ...bench.results.records import CellResult, LatencySummary, Run
from ...bench.statistics.scaling import law_of
from ...bench.statistics.standing import Standing, standing_to
from ..comparison.overlap_text import overlap_sentences
from ..comparison.own_wait_text import ideal_name, place_lost
from ..comparison.ranking import label
from ..comparison.scaling import fits_well
from ..comparison.summary_text import TIME_LOST, law_text
from ..comparison.time_breakdown import lost_shares

_WORTH_REPORTING = 0.02
# A sweep takes throughput to grow from the same factor on.
_STILL_RISES = 1.05
_MOST_OTHERS = 5

_WITHOUT: Mapping[CostKind, str] = MappingProxyType(
    {
        CostKind.CLIENT_CPU: "the agent and its client used no CPU",
        CostKind.MODEL_LIMITS: "the model had no limits",
        CostKind.TOOL_CPU: "{tool} used no CPU",
        CostKind.TOOL_BLOCKING: "{tool} did not block the event loop",
    }
)
"""A run without a cost, as the end of a sentence that begins with "if"."""


def advice_lines(advice: Advice, run: Run) -> Iterator[tuple[str, str]]:
    """Yield the advice: a heading (empty where the one before goes on) and a line.

    Args:
        advice: The advice.
        run: The sweep that it comes from.
    """
    best, at_double_load = advice.best, advice.at_double_load
    yield "run", f"{label(best.cell)} {_at(best)}"
    share = percent(best.efficiency)
    ideal = "" if best.efficiency is None else f", {share} of {ideal_name(best)}"
    yield "expect", f"{_figures(best)}{ideal} (measured)"
    yield from _fitted(best, run)
    yield "limit", _limit(advice)
    yield from _observations(at_double_load)
    if advice.gains:
        yield (
            "gain",
            f"estimated {_at(at_double_load)}, from "
            f"{session_rate(at_double_load.throughput_per_s)}, if",
        )
    for gain in advice.gains:
        by = signed_percent(gain.gain, decimals=0)
        yield "", f"  {_without(gain.cost)}: {session_rate(gain.result.throughput_per_s)}, {by}"
    if advice.data_flow is not None:
        for number, sentence in enumerate(overlap_sentences(advice.data_flow)):
            yield ("" if number else "overlap"), sentence
    others = advice.others[:_MOST_OTHERS]
    for number, other in enumerate(others):
        yield (
            ("" if number else "others"),
            f"{label(other.cell)} {_at(other)}: {_figures(other)}{_standing(best, other)}",
        )
    if others and len(best.trial_figures) == 1:
        yield "", "one trial ranks nobody: --trials 3 shows who is slower"


def _standing(best: CellResult, other: CellResult) -> str:
    standing = standing_to(best, other)
    return "" if standing is Standing.SLOWER else f" ({standing})"


def _without(cost: Cost) -> str:
    return _WITHOUT[cost.kind].format(tool=cost.tool)


def _at(result: CellResult) -> str:
    return f"at concurrency {whole(result.cell.concurrency)}"


def _figures(cell: CellResult) -> str:
    times = (("", cell.latency_s), ("TTFT ", cell.ttft_s), ("first output ", cell.first_output_s))
    # A target that does not stream, or yields nothing, has none of the latter.
    known = [_percentile(name, each) for name, each in times if each.p50 is not None or not name]
    return ", ".join((session_rate(cell.throughput_per_s), *known))


def _percentile(name: str, of: LatencySummary) -> str:
    figure = "p50" if of.p99 is None else "p99"
    return f"{name}{figure} {seconds(getattr(of, figure))}"


def _fitted(best: CellResult, run: Run) -> Iterator[tuple[str, str]]:
    cells = [result for result in run.cells if _series(result) == _series(best)]
    law = law_of(cells)
    if law is not None and fits_well(law):
        greatest_load = max(result.cell.concurrency for result in cells)
        yield "", f"throughput {law_text(law, greatest_load)}"


def _limit(advice: Advice) -> str:
    """Say which cost limits throughput most, of those that were taken away; or what is waited for.

    A service that is full carries a little more at twice its load, by chance and by longer waves:
    that is no rise.
    """
    counting = [gain for gain in advice.gains if gain.gain >= _WORTH_REPORTING]
    if counting:
        return f"throughput would rise most if {_without(counting[0].cost)}"
    at_double_load, best = advice.at_double_load, advice.best
    if not at_double_load.achieved_per_s:
        return "the load itself: every session failed at twice this concurrency"
    if at_double_load.achieved_per_s >= best.achieved_per_s * _STILL_RISES:
        return "waiting for the model and tools: throughput still rises with concurrency"
    shares = lost_shares(at_double_load)
    if shares:
        part = max(shares, key=lambda part: shares[part])
        return f"{TIME_LOST[part]}: {percent(shares[part])} of their time {_at(at_double_load)}"
    return "none of the costs that can be taken away"


def _observations(at_double_load: CellResult) -> Iterator[tuple[str, str]]:
    where = _at(at_double_load)
    if at_double_load.cpu_s_per_session is not None and at_double_load.throughput_per_s is not None:
        cores = at_double_load.cpu_s_per_session * at_double_load.throughput_per_s
        yield "", f"{where}, the process keeps {cores:.2f} cores busy"
    for part, share in lost_shares(at_double_load).items():
        yield "", f"{where}, {TIME_LOST[part]} ({percent(share)} of their time)"
        place = place_lost(part, at_double_load)
        if place:
            yield "", f"  {place}"
        if part == "connection":
            for pool in at_double_load.pools[:1]:
                has = counted(pool.most, "connection")
                yield "", f"  its pool has at most {has}: raise {pool_setting(pool.client)}"
    for blocker in at_double_load.loop_blockers[:1]:
        place = code_place(blocker.stack[-1] if blocker.stack else blocker.place)
        yield (
            "",
            f"{where}, {place} blocks the event loop for up to {seconds(blocker.longest_s)}",
        )


def _series(result: CellResult) -> tuple[str, str]:
    return result.cell.strategy, result.cell.loop
