"""The swim lanes of one cell: what its first sessions did, and when the event loop was blocked.

The page puts two of them one above the other. It is a kind of its own: a panel for each cell, of
which the reader chooses, and no part of the registry of charts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...bench.results.formatting import code_place, counted, name
from ...bench.results.formatting import seconds as duration
from ...bench.results.records import CellResult
from ...bench.results.timeline import Lane, Timeline
from ...mocks.clock import seconds
from ..comparison.ranking import label
from .description import Axis, LegendEntry, Panel, Quantity, Row, Span
from .palette import BLOCKED_COLOUR, LANE_COLOURS

HEADING = "The first sessions over time"
_MEANINGS = {
    "model": "waiting for the model",
    "tool": "waiting for a tool",
    "tools": "waiting for several tools at once",
    "own": "computing",
    "ready": "waiting for loop or GIL",
    "admission": "waiting for a free slot",
    "connection": "waiting for a free connection",
    "retry": "failed attempt and back-off",
    "own_wait": "waiting inside your own code",
    "other": "waiting inside your own code, place not known",
}
_BLOCKED = "event loop blocked"


@dataclass(frozen=True, slots=True)
class TimelinePanel:
    """The lanes of a cell, and where the last one ends."""

    label: str
    panel: Panel
    end_s: float
    throughput_per_s: float


def describe_timeline(result: CellResult) -> TimelinePanel | None:
    """Describe the lanes of a cell; ``None`` if it has none with anything on it.

    A session that took no time, since it failed at once, has a lane and nothing on it.
    """
    timeline = result.timeline
    if timeline is None or not any(lane.state for lane in timeline.lanes):
        return None
    spans = [
        span
        for row, lane in enumerate(timeline.lanes)
        for span in _lane_spans(row, lane, timeline.places)
    ]
    states = dict.fromkeys(state.value for lane in timeline.lanes for state in lane.state)
    legend = [
        LegendEntry(label=meaning, colour=LANE_COLOURS[state])
        for state, meaning in _MEANINGS.items()
        if state in states
    ]
    end_s = max(span.end for span in spans)
    if timeline.blocked:
        spans += _blocked_spans(timeline)
        legend.append(LegendEntry(label=_BLOCKED, colour=BLOCKED_COLOUR))
    owner = name(result.cell.strategy)
    return TimelinePanel(
        label=label(result.cell),
        panel=Panel(
            finding=f"the first {counted(len(timeline.lanes), 'session')} took {duration(end_s)}",
            x=Axis(
                label="time",
                quantity=Quantity.TIME,
                low=min(0.0, *(span.begin for span in spans)),
                high=end_s,
            ),
            rows=tuple(_rows(timeline, owner)),
            spans=tuple(spans),
            legend=tuple(legend),
            is_compact=True,
            span_text="{length}, from {begin}",
        ),
        end_s=end_s,
        throughput_per_s=result.throughput_per_s or 0.0,
    )


def _lane_spans(row: int, lane: Lane, places: Sequence[str]) -> Iterator[Span]:
    at = lane.place or (-1,) * len(lane.state)
    for (begin_ns, end_ns), state, place in zip(
        pairwise((*lane.from_ns, lane.end_ns)), lane.state, at, strict=True
    ):
        meaning = _MEANINGS[state.value]
        if 0 <= place < len(places):
            meaning = f"waiting in {code_place(places[place])}"
        yield Span(
            row=row,
            begin=seconds(begin_ns),
            end=seconds(end_ns),
            colour=LANE_COLOURS[state.value],
            meaning=meaning,
            text=_when(begin_ns, end_ns),
        )


def _blocked_spans(timeline: Timeline) -> list[Span]:
    # An empty row sets it apart from the lanes.
    row = len(timeline.lanes) + 1
    return [
        Span(
            row=row,
            begin=seconds(each.begin_ns),
            end=seconds(each.end_ns),
            colour=BLOCKED_COLOUR,
            meaning=f"{name(each.place)} blocked the event loop",
            text=_when(each.begin_ns, each.end_ns),
        )
        for each in timeline.blocked
    ]


def _when(begin_ns: int, end_ns: int) -> str:
    return f"{duration(seconds(end_ns - begin_ns))}, from {duration(seconds(begin_ns))}"


def _rows(timeline: Timeline, owner: str) -> Iterator[Row]:
    for position, lane in enumerate(timeline.lanes):
        yield Row("" if position else "sessions", owner, f"session {lane.session}")
    if timeline.blocked:
        yield Row("", owner)
        yield Row("loop blocked", owner)
