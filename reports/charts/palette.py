"""One colour for each strategy and one line style for each loop, the same in every picture.

The tables of well-known names are the only place that names a strategy or a loop. Any other name
gets a colour and a line style that depend on the name, distinct from those of the run's others.
"""

import colorsys
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ...bench.results.cell import NO_LOOP
from ...bench.results.records import Run

Style = TypeVar("Style")

# Okabe and Ito's colours ("Color Universal Design", 2008) stay apart for every common
# kind of colour blindness. Their yellow is left out: it vanishes on white.
KNOWN_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "sync": "#000000",
        "threads": "#E69F00",
        "executor": "#D55E00",
        "gather": "#56B4E9",
        "taskgroup": "#0072B2",
        "workers": "#009E73",
        "blocking": "#CC79A7",
    }
)
# For the strategies of others: Tol's "muted" scheme, less what comes close to the above.
FURTHER_COLOURS: tuple[str, ...] = (
    "#332288",
    "#999933",
    "#882255",
    "#44AA99",
    "#661100",
    "#6699CC",
    "#AA4466",
)
BLOCKED_COLOUR = "#A33B12"
IDEAL_COLOUR = "#6B6B6B"
IDEAL_DASHES = (5.0, 3.0)
FIT_DASHES = (1.0, 1.5)
MUTED = "#5A5A5A"
INK = "#222222"
GRID = "#E3E3E3"
RATIO_COLOURS: Mapping[str, str] = MappingProxyType(
    {"better": "#228833", "worse": "#CC3311", "same": "#6B6B6B", "unknown": "#BBBBBB"}
)
# What a session must wait for is blue and green; what is lost is warm, and red the worst.
PART_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "llm": "#4477AA",
        "tool": "#66CCAA",
        "serialised": "#AA3377",
        "admission": "#CCBB44",
        "connection": "#885533",
        "ready": "#EE6677",
        "retry": "#EE9944",
        "cpu": "#222222",
        "remainder": "#BBBBBB",
    }
)
# What a session does at a moment: as its parts, and tools side by side darker than one alone.
LANE_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "model": PART_COLOURS["llm"],
        "tool": PART_COLOURS["tool"],
        "tools": "#228877",
        "own": PART_COLOURS["cpu"],
        "ready": PART_COLOURS["ready"],
        "admission": PART_COLOURS["admission"],
        "connection": PART_COLOURS["connection"],
        "retry": PART_COLOURS["retry"],
        "own_wait": "#9A86D8",
        "other": PART_COLOURS["remainder"],
    }
)
# What a session waits for in its data flow: likewise.
FLOW_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "model": PART_COLOURS["llm"],
        "tool": PART_COLOURS["tool"],
        "service": "#228877",
        "own": PART_COLOURS["remainder"],
    }
)
_SHARES = ("#F3F6F9", "#9CC3E0", "#2C7FB8", "#0B4F7D")
_DARK = 0.15
_GAMMA = 2.2
_TOWARDS_WHITE = 0.55
_GOLDEN_TURN = 0.381966


def on_dark(colour: str) -> str:
    """Return a colour as it is seen on a dark ground: lighter, where it would vanish there."""
    channels = _channels(colour)
    # Rec. 709's weights of red, green and blue in how much light a colour gives.
    luminance = sum(
        weight * (channel / 255) ** _GAMMA
        for weight, channel in zip((0.2126, 0.7152, 0.0722), channels, strict=True)
    )
    if luminance >= _DARK:
        return colour
    # The darker it is, the more: two blues must not become one.
    share = _TOWARDS_WHITE * (1 - luminance / _DARK)
    return _colour(channel + (255 - channel) * share for channel in channels)


def share_colour(share: float) -> str:
    """Return the colour of a share from 0 to 1.

    One hue from light to dark, which every reader sees in its order, and grey print too.
    """
    place = share * (len(_SHARES) - 1)
    index = min(int(place), len(_SHARES) - 2)
    pair = zip(_channels(_SHARES[index]), _channels(_SHARES[index + 1]), strict=True)
    return _colour(low + (high - low) * (place - index) for low, high in pair)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _colour(channels: Iterable[float]) -> str:
    return f"#{''.join(f'{round(channel):02X}' for channel in channels)}"


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How the lines of one loop look beside those of the others.

    Attributes:
        dashes: Lengths of dashes and gaps in line widths; none for a solid line.
        marker: Matplotlib's letter for the mark at each measured point.
    """

    dashes: tuple[float, ...]
    marker: str


KNOWN_LINES: Mapping[str, LineStyle] = MappingProxyType(
    {
        "asyncio": LineStyle((), "o"),
        "uvloop": LineStyle((4, 1.5), "s"),
        NO_LOOP: LineStyle((1, 1.5), "^"),
        "eager": LineStyle((6, 1.5, 1, 1.5), "D"),
        "asyncio-eager": LineStyle((6, 1.5, 1, 1.5), "D"),
    }
)
FURTHER_LINES: tuple[LineStyle, ...] = (
    LineStyle((2, 1), "v"),
    LineStyle((8, 2), "P"),
    LineStyle((4, 1, 1, 1, 1, 1), "X"),
    LineStyle((1, 3), "h"),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of strategies and the line styles of loops of one run, for all its charts."""

    colours: Mapping[str, str]
    lines: Mapping[str, LineStyle]

    @classmethod
    def of(cls, run: Run) -> "Palette":
        """Give every strategy and loop of a run its look."""
        return cls(
            strategy_colours(result.cell.strategy for result in run.cells),
            loop_lines(result.cell.loop for result in run.cells),
        )


def strategy_colours(strategies: Iterable[str]) -> dict[str, str]:
    """Give each strategy of a run its colour.

    A well-known strategy has the same colour in every run. Any other gets a colour by its
    name, and the next free one where two names would share it.
    """
    return _assigned(strategies, KNOWN_COLOURS, FURTHER_COLOURS, _generated_colour)


def loop_lines(loops: Iterable[str]) -> dict[str, LineStyle]:
    """Give each event loop of a run its line style, in the same manner."""
    return _assigned(loops, KNOWN_LINES, FURTHER_LINES, _generated_line)


def _assigned(
    names: Iterable[str],
    known: Mapping[str, Style],
    further: tuple[Style, ...],
    generated: Callable[[int], Style],
) -> dict[str, Style]:
    styles = {}
    taken: set[int] = set()
    for name in sorted(set(names)):  # sorted: the answer must not depend on the run's order
        if name in known:
            styles[name] = known[name]
            continue
        if len(taken) >= len(further):
            styles[name] = generated(len(taken) - len(further))
            taken.add(len(taken))
            continue
        # Not `hash`, which differs from process to process.
        slot = zlib.crc32(name.encode("utf-8", errors="replace")) % len(further)
        while slot in taken:
            slot = (slot + 1) % len(further)
        taken.add(slot)
        styles[name] = further[slot]
    return styles


def _generated_colour(position: int) -> str:
    """Return a colour beyond those of the tables: hues a golden angle apart never meet again."""
    hue = (0.05 + position * _GOLDEN_TURN) % 1
    channels = colorsys.hls_to_rgb(hue, 0.32 + 0.06 * (position % 3), 0.55)
    return _colour(channel * 255 for channel in channels)


def _generated_line(position: int) -> LineStyle:
    marker = "<>pH"[position % 4]
    return LineStyle((3.0 + position // 4, 1.0 + position % 4), marker)
