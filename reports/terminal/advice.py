"""Advice in words, each with the figure that it rests on."""

from collections.abc import Iterator

from ...bench.results.advice import Advice
from ...bench.results.formatting import counted, percent, rate, seconds
from ...bench.results.records import CellResult, Run
from ...bench.statistics.scaling import law_of
from ..comparison.ranking import label
from ..comparison.scaling import fits_well, law_words
from ..comparison.time_breakdown import CAUSES, lost_shares

_WORTH_IT = 0.02
_MOST_OTHERS = 5


def advice_lines(advice: Advice, run: Run) -> Iterator[tuple[str, str]]:
    """Yield what is advised: a heading (empty where the one before goes on) and a line.

    Args:
        advice: The advice.
        run: The sweep that it comes from.
    """
    best, at_double_load = advice.best, advice.at_double_load
    yield "run", f"{label(best.cell)}, {counted(best.cell.concurrency, 'session')} at once"
    ideal = "" if best.efficiency is None else f", {percent(best.efficiency)} of the ideal"
    yield "expect", f"{_carries(best)}{ideal} (measured)"
    yield from _fitted(best, run)
    yield "limit", _limit(advice)
    yield from _observations(at_double_load)
    at = counted(at_double_load.cell.concurrency, "session")
    if advice.gains:
        yield (
            "worth",
            f"with {at} at once it carries {rate(at_double_load.throughput_per_s)}; there, if",
        )
    for worth in advice.gains:
        gain = f"{worth.gain * 100:+.0f} %"
        yield "", f"  {worth.what}: {rate(worth.result.throughput_per_s)}, {gain}"
    for number, other in enumerate(advice.others[:_MOST_OTHERS]):
        at = counted(other.cell.concurrency, "session")
        yield (
            ("" if number else "others"),
            f"{label(other.cell)}: {_carries(other)} with {at} at once",
        )


def _carries(cell: CellResult) -> str:
    latency = cell.latency_s
    if latency.p99 is None:
        return f"{rate(cell.throughput_per_s)}, p50 {seconds(latency.p50)}"
    return f"{rate(cell.throughput_per_s)}, p99 {seconds(latency.p99)}"


def _fitted(best: CellResult, run: Run) -> Iterator[tuple[str, str]]:
    cells = [result for result in run.cells if _series(result) == _series(best)]
    law = law_of(cells)
    if law is not None and fits_well(law):
        yield "", f"it {law_words(law, max(result.cell.concurrency for result in cells))}"


def _limit(advice: Advice) -> str:
    """Say which of the costs that were taken away is the one that counts."""
    counting = [worth for worth in advice.gains if worth.gain >= _WORTH_IT]
    if counting:
        return f"most would be gained if {counting[0].what}"
    at_double_load, best = advice.at_double_load, advice.best
    if not at_double_load.achieved_per_s:
        return "twice that load: no session came through it"
    if at_double_load.achieved_per_s > best.achieved_per_s:
        return "the waits themselves: more sessions at once carry more, and no cost is in their way"
    return "none of the costs that can be taken away"


def _observations(at_double_load: CellResult) -> Iterator[tuple[str, str]]:
    where = f"with {counted(at_double_load.cell.concurrency, 'session')} at once"
    if at_double_load.cpu_s_per_session is not None and at_double_load.throughput_per_s is not None:
        cores = at_double_load.cpu_s_per_session * at_double_load.throughput_per_s
        yield "", f"{where} its process keeps {cores:.2f} cores busy"
    for part, share in lost_shares(at_double_load).items():
        yield "", f"{where} sessions lose {percent(share)} {CAUSES[part]}"
    for blocker in at_double_load.loop_blockers[:1]:
        yield (
            "",
            f"{where} {blocker.place} holds the event loop for up to {seconds(blocker.longest_s)}",
        )


def _series(result: CellResult) -> tuple[str, str]:
    return result.cell.strategy, result.cell.loop
