"""One colour for each strategy and one line style for each loop, the same in every picture."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ...bench.results.cell import NO_LOOP

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
FURTHER_COLOURS: Sequence[str] = (
    "#332288",
    "#999933",
    "#882255",
    "#44AA99",
    "#661100",
    "#6699CC",
    "#AA4466",
)
IDEAL_COLOUR = "#6B6B6B"
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
        "retry": PART_COLOURS["retry"],
        "other": PART_COLOURS["remainder"],
    }
)
_DARK = 0x60
_TOWARDS_WHITE = 0.55


def on_dark(colour: str) -> str:
    """Return a colour as it is seen on a dark ground: lighter, where it would vanish there."""
    channels = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    # Rec. 709's weights of red, green and blue in how bright a colour looks.
    brightness = sum(
        weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), channels, strict=True)
    )
    if brightness >= _DARK:
        return colour
    lighter = (round(channel + (255 - channel) * _TOWARDS_WHITE) for channel in channels)
    return f"#{''.join(f'{channel:02X}' for channel in lighter)}"


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
FURTHER_LINES: Sequence[LineStyle] = (
    LineStyle((2, 1), "v"),
    LineStyle((8, 2), "P"),
    LineStyle((4, 1, 1, 1, 1, 1), "X"),
    LineStyle((1, 3), "h"),
)


def strategy_colours(strategies: Iterable[str]) -> dict[str, str]:
    """Give each strategy of a run its colour.

    A known strategy has the same colour in every run. A further one gets a colour by its
    name, and the next free one where two names would share it.
    """
    return _assigned(strategies, KNOWN_COLOURS, FURTHER_COLOURS)


def loop_lines(loops: Iterable[str]) -> dict[str, LineStyle]:
    """Give each event loop of a run its line style, in the same manner."""
    return _assigned(loops, KNOWN_LINES, FURTHER_LINES)


def _assigned(
    names: Iterable[str], known: Mapping[str, Style], further: Sequence[Style]
) -> dict[str, Style]:
    styles = {}
    taken: set[int] = set()
    for name in sorted(set(names)):  # sorted: the answer must not hang on the run's order
        if name in known:
            styles[name] = known[name]
            continue
        # Not `hash`, which differs from process to process.
        slot = zlib.crc32(name.encode("utf-8", errors="replace")) % len(further)
        while slot in taken and len(taken) < len(further):
            slot = (slot + 1) % len(further)
        taken.add(slot)
        styles[name] = further[slot]
    return styles
