"""A lesson as a picture: a panel for each act, a lane for whoever waits or blocks."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ...bench.results.formatting import seconds as duration
from ...bench.results.lesson import Doing, Lesson, Played
from ...mocks.clock import seconds
from .axes import ROW_IN, figure, row_axis
from .chart import Chart
from .palette import PART_COLOURS
from .render import render, save_charts

_FRAME_IN = 1.7
_COLOURS = {Doing.WAITS: PART_COLOURS["llm"], Doing.BLOCKS: PART_COLOURS["ready"]}
_MEANINGS = {Doing.WAITS: "waits, and gives way", Doing.BLOCKS: "blocks its thread"}


def draw_lesson(lesson: Lesson, played: Mapping[str, Played]) -> Figure:
    """Draw the acts of a lesson beside each other, on one scale of time."""
    most_lanes = max(len(_lanes(one)) for one in played.values())
    made, all_axes = figure(
        lesson.claim.replace("`", ""), _FRAME_IN + ROW_IN * max(2, most_lanes), len(lesson.acts)
    )
    longest_s = max(one.took_s for one in played.values()) or 1.0
    for axes, act in zip(all_axes, lesson.acts, strict=True):
        one = played[act.__name__]
        axes.set_title(f"{act.__name__.replace('_', ' ')}: {duration(one.took_s)}")
        axes.set_xlim(0, longest_s * 1.05)
        axes.set_xlabel("seconds")
        _draw(axes, one)
    shown = dict.fromkeys(each.doing for one in played.values() for each in one.segments)
    if shown:
        made.legend(
            handles=[Patch(color=_COLOURS[doing], label=_MEANINGS[doing]) for doing in shown],
            loc="outside lower center",
            ncols=2,
        )
    return made


def write_lesson(lesson: Lesson, played: Mapping[str, Played], folder: Path) -> list[Path]:
    """Draw a lesson and write it as SVG and PNG; returns the files."""
    file_name = f"lesson-{lesson.name}"
    svg, png = render(lambda: draw_lesson(lesson, played), file_name)
    text = lesson.seen(played).text
    return save_charts([Chart("", file_name, lesson.claim, text, svg, png)], folder)


def _draw(axes: Axes, played: Played) -> None:
    lanes = _lanes(played)
    for each in played.segments:
        begin_s, end_s = seconds(each.begin_ns), seconds(each.end_ns)
        row = lanes.index(each.lane)
        axes.barh(row, end_s - begin_s, left=begin_s, height=0.6, color=_COLOURS[each.doing])
        if each.is_cut_short:
            axes.plot([end_s], [row], marker="x", color="black", markersize=9, clip_on=False)
    if lanes:
        row_axis(axes, lanes)
        return
    axes.set_axis_off()
    said = " → ".join(played.words) or "nothing happens"
    axes.text(0.5, 0.5, said, ha="center", va="center", transform=axes.transAxes, wrap=True)


def _lanes(played: Played) -> list[str]:
    return list(dict.fromkeys(each.lane for each in played.segments))
