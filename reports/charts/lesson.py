"""A lesson as a picture: a panel for each act, a lane for whoever waits or blocks."""

from collections.abc import Mapping
from pathlib import Path

from ...bench.results.formatting import seconds as duration
from ...bench.results.lesson import Doing, Lesson, Played, Seen
from ...mocks.clock import seconds
from ..comparison.lesson_text import observation
from .chart import RenderedChart
from .description import Axis, LegendEntry, Panel, Picture, Quantity, Row, Span, in_common_units
from .palette import PART_COLOURS
from .render import render, save_charts

_COLOURS = {Doing.WAITS: PART_COLOURS["llm"], Doing.BLOCKS: PART_COLOURS["ready"]}
_MEANINGS = {Doing.WAITS: "waits, and gives way", Doing.BLOCKS: "blocks its thread"}
_ROOM = 1.05


def describe_lesson(lesson: Lesson, played: Mapping[str, Played]) -> Picture:
    """Describe the acts of a lesson beside each other, on one scale of time."""
    longest_s = max(one.took_s for one in played.values()) or 1.0
    return Picture(
        lesson.claim.replace("`", ""),
        in_common_units(
            _act(act.__name__.replace("_", " "), played[act.__name__], longest_s)
            for act in lesson.acts
        ),
    )


def write_lesson(
    lesson: Lesson, played: Mapping[str, Played], seen: Seen, folder: Path
) -> list[Path]:
    """Draw a lesson and write it as SVG and PNG; returns the files."""
    file_name = f"lesson-{lesson.name}"
    svg, png = render(describe_lesson(lesson, played), file_name)
    text = observation(lesson.name, seen)
    return save_charts([RenderedChart("", file_name, lesson.claim, text, svg, png)], folder)


def _act(act: str, played: Played, longest_s: float) -> Panel:
    lanes = list(dict.fromkeys(each.lane for each in played.segments))
    shown = dict.fromkeys(each.doing for each in played.segments)
    message = "" if lanes else " → ".join(played.words) or "nothing happens"
    return Panel(
        finding="",
        subject=f"{act}: {duration(played.took_s)}",
        x=Axis(label="time", quantity=Quantity.TIME, low=0, high=longest_s * _ROOM),
        rows=tuple(map(Row, lanes)),
        spans=tuple(
            Span(
                row=lanes.index(each.lane),
                begin=seconds(each.begin_ns),
                end=seconds(each.end_ns),
                colour=_COLOURS[each.doing],
                is_cut_short=each.is_cut_short,
            )
            for each in played.segments
        ),
        legend=tuple(
            LegendEntry(label=_MEANINGS[doing], colour=_COLOURS[doing]) for doing in shown
        ),
        message=message,
    )
