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
    best, strained = advice.best, advice.strained
    yield "run", f"{label(best)}, {counted(best.concurrency, 'session')} at once"
    ideal = "" if best.efficiency is None else f", {percent(best.efficiency)} of the ideal"
    yield "expect", f"{_carries(best)}{ideal} (measured)"
    yield from _fitted(best, run)
    yield "limit", _limit(advice)
    yield from _evidence(strained)
    at = counted(strained.concurrency, "session")
    if advice.worths:
        yield "worth", f"with {at} at once it carries {rate(strained.throughput_per_s)}; there, if"
    for worth in advice.worths:
        gain = f"{worth.gain * 100:+.0f} %"
        yield "", f"  {worth.what}: {rate(worth.result.throughput_per_s)}, {gain}"
    for number, other in enumerate(advice.others[:_MOST_OTHERS]):
        at = counted(other.concurrency, "session")
        yield ("" if number else "others"), f"{label(other)}: {_carries(other)} with {at} at once"


def _carries(cell: CellResult) -> str:
    latency = cell.latency_s
    if latency.p99 is None:
        return f"{rate(cell.throughput_per_s)}, p50 {seconds(latency.p50)}"
    return f"{rate(cell.throughput_per_s)}, p99 {seconds(latency.p99)}"


def _fitted(best: CellResult, run: Run) -> Iterator[tuple[str, str]]:
    cells = [cell for cell in run.cells if _series(cell) == _series(best)]
    law = law_of(cells)
    if law is not None and fits_well(law):
        yield "", f"it {law_words(law, max(cell.concurrency for cell in cells))}"


def _limit(advice: Advice) -> str:
    """Say which of the costs that were taken away is the one that counts."""
    counting = [worth for worth in advice.worths if worth.gain >= _WORTH_IT]
    if counting:
        return f"most would be gained if {counting[0].what}"
    strained, best = advice.strained, advice.best
    if not strained.carried_per_s:
        return "twice that load: no session came through it"
    if strained.carried_per_s > best.carried_per_s:
        return "the waits themselves: more sessions at once carry more, and no cost is in their way"
    return "none of the costs that can be taken away"


def _evidence(strained: CellResult) -> Iterator[tuple[str, str]]:
    where = f"with {counted(strained.concurrency, 'session')} at once"
    if strained.cpu_s_per_session is not None and strained.throughput_per_s is not None:
        cores = strained.cpu_s_per_session * strained.throughput_per_s
        yield "", f"{where} its process keeps {cores:.2f} cores busy"
    for part, share in lost_shares(strained).items():
        yield "", f"{where} sessions lose {percent(share)} {CAUSES[part]}"
    for holder in strained.loop_holders[:1]:
        yield (
            "",
            f"{where} {holder.place} holds the event loop for up to {seconds(holder.longest_s)}",
        )


def _series(cell: CellResult) -> tuple[str, str]:
    return cell.strategy, cell.loop
