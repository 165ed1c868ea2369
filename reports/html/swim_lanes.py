"""Where everything lies in the swim lanes of a failure: each figure of the drawing. Pure.

All lengths are units of the picture, which are pixels where the page has room for its full width.
The template ``exploration.html`` puts the figures into SVG.

What kind a bar is shows without colour, too: by its text, and where there is no room for one by its
outline (``exploration.html`` has the dashes of each kind).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...bench.results.exploration import Cancelled, Failure, Found
from ...bench.results.formatting import counted, listed, plain, seconds, shortened
from ...bench.results.steps import Step, StepKind
from ..charts.ticks import even_ticks
from ..comparison.exploration import step_text, steps_up_to, times_text

WIDTH = 960.0
BAR_HEIGHT = 20.0
_TRACK = BAR_HEIGHT + 4
_LANE_GAP = 16.0
_LINE = 15.0
_MARGIN = 12.0
_LEAST_BAR = 2.0
_PADDING = 5.0
_CHARACTER = 7.5
"""At least the mean width of a character of 12 pixels in the fonts of the page."""

_FEWEST_CHARACTERS = 5
"""Less of a name says nothing."""

_ROUNDING_S = 0.5e-9
"""Times are counted in nanoseconds: what is closer together is one."""

_MOST_LANES = 12
MOST_STEPS = 40
"""Of more steps the last ones before the failure are shown, and what overlaps them is drawn."""

_MEANINGS = {
    StepKind.MODEL_CALL: "model call",
    StepKind.TOOL: "tool",
    StepKind.SERVICE: "request",
    StepKind.OWN_WAIT: "waiting in its own code",
    StepKind.ADMISSION: "waiting for a place",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step of a session.

    Attributes:
        kind: What it did, as a class of style.
        x, y, width: Where it is.
        text: What stands in it; empty where there is no room.
        title: All of it, for the pointer.
    """

    kind: str
    x: float
    y: float
    width: float
    text: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A session.

    Attributes:
        name: Which.
        notes: What is special about it.
        y, height: Where it is.
        bars: What it did.
        failed_x: Where in it something went wrong, if that is known.
        cancelled_x: Where it was cancelled, if it was.
    """

    name: str
    notes: tuple[str, ...]
    y: float
    height: float
    bars: tuple[Bar, ...]
    failed_x: float | None
    cancelled_x: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The moment at which something went wrong: a line over all lanes.

    Attributes:
        x: Where.
        text: What stands above it.
        anchor: On which side of the line that is, as SVG says it.
    """

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of the legend: a kind of bar, or a mark.

    Attributes:
        kind: Its class of style.
        is_bar: Whether it is a bar.
        x, y: Where it is.
        text: What it means.
    """

    kind: str
    is_bar: bool
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePicture:
    """The swim lanes of a failure.

    Attributes:
        width, height: Of all.
        left, right: Between which times are.
        top, bottom: Between which lanes are.
        lanes: The sessions, in the order of their numbers.
        ticks: The axis.
        moment: When it went wrong, if that is known and in the picture.
        keys: The legend.
        more: How many sessions are not drawn.
        description: What it shows, for a reader who does not see it.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    moment: Moment | None
    keys: tuple[Key, ...]
    more: int
    description: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times to places."""

    begin_s: float
    end_s: float
    left: float
    right: float

    def x(self, at_s: float) -> float:
        """Return where a time is; one beyond the picture is at its edge."""
        share = (at_s - self.begin_s) / (self.end_s - self.begin_s)
        return round(self.left + min(max(share, 0.0), 1.0) * (self.right - self.left), 1)

    def shows(self, at_s: float) -> bool:
        return self.begin_s <= at_s <= self.end_s


def shown_steps(found: Found) -> tuple[Step, ...]:
    """Return the steps of a failure that the page has room for: the last before it went wrong."""
    return steps_up_to(found.failure, found.steps)[-MOST_STEPS:]


def draw_lanes(found: Found) -> LanePicture | None:
    """Lay out the swim lanes of a failure.

    A failure of many steps is drawn from the first of ``shown_steps`` on, till the last of them
    ends.

    Returns:
        The picture; ``None`` where no step with any length is known.
    """
    begin_s, end_s = _window(found)
    if end_s <= begin_s:
        return None
    steps = [step for step in found.steps if step.end_s >= begin_s and step.begin_s <= end_s]
    sessions = _sessions(found, steps)
    cancelled_s = _cancelled_s(found)
    notes = {session: _notes(session, found.failure, cancelled_s) for session in sessions}
    names = [f"session {session}" for session in sessions]
    left = max(_text_width(text) for text in (*names, *sum(notes.values(), ()))) + _MARGIN
    scale = _Scale(begin_s, end_s, left, WIDTH - _MARGIN)
    moment = _moment(found.failure, scale)
    top = (1 if moment is None else 2) * _LINE + 4
    y = top + _LANE_GAP
    lanes = []
    for session, name in zip(sessions, names, strict=True):
        bars, tracks = _bars([step for step in steps if step.session == session], scale, y)
        height = max(tracks * _TRACK - (_TRACK - BAR_HEIGHT), (1 + len(notes[session])) * _LINE)
        lanes.append(
            Lane(
                name=name,
                notes=notes[session],
                y=y,
                height=height,
                bars=bars,
                failed_x=_failed_x(session, found.failure, scale),
                cancelled_x=_within(cancelled_s.get(session), scale),
            )
        )
        y += height + _LANE_GAP
    bottom = y - _LANE_GAP / 2
    keys, height = _keys(lanes, scale, bottom + _LINE)
    concerned = {*(step.session for step in found.steps), *(found.case.sessions or ())}
    return LanePicture(
        width=WIDTH,
        height=height,
        left=left,
        right=scale.right,
        top=top,
        bottom=bottom,
        lanes=tuple(lanes),
        ticks=_ticks(scale),
        moment=moment,
        keys=keys,
        more=len(concerned) - len(sessions),
        description=_description(lanes, scale, found.failure),
    )


def _window(found: Found) -> tuple[float, float]:
    """Return from when to when is drawn."""
    if len(found.steps) <= MOST_STEPS:
        shown = found.steps
        begin_s = 0.0
    else:
        shown = shown_steps(found)
        begin_s = min((step.begin_s for step in shown), default=0.0)
    return begin_s, max((step.end_s for step in shown), default=0.0)


def _sessions(found: Found, steps: Iterable[Step]) -> list[int]:
    """Return the sessions that are drawn: those that the failure is about, and the first others."""
    known = {*(step.session for step in steps), *(found.case.sessions or ())}
    about = {found.failure.session, found.failure.owner} & known
    others = sorted(known - about)[: max(0, _MOST_LANES - len(about))]
    return sorted([*(each for each in about if each is not None), *others])


def _cancelled_s(found: Found) -> dict[int, float]:
    """Return when each cancelled session was."""
    return {each.session: each.after_s for each in found.differences if isinstance(each, Cancelled)}


def _notes(session: int, failure: Failure, cancelled_s: dict[int, float]) -> tuple[str, ...]:
    notes = []
    if session == failure.session:
        notes.append(f"goes wrong ({failure.kind.value.replace('_', ' ')})")
    if session == failure.owner:
        notes.append("whose text it is")
    if session in cancelled_s:
        notes.append(f"cancelled at {seconds(cancelled_s[session])}")
    return tuple(notes)


def _bars(steps: Sequence[Step], scale: _Scale, top: float) -> tuple[tuple[Bar, ...], int]:
    """Return the bars of a session, and on how many tracks they lie: none covers another."""
    free_from_s: list[float] = []
    bars = []
    for step in sorted(steps, key=lambda step: (step.begin_s, -step.end_s)):
        track = next(
            (
                number
                for number, at_s in enumerate(free_from_s)
                if at_s <= step.begin_s + _ROUNDING_S
            ),
            len(free_from_s),
        )
        free_from_s[track : track + 1] = [step.end_s]
        x = min(scale.x(step.begin_s), scale.right - _LEAST_BAR)
        width = round(max(scale.x(step.end_s) - x, _LEAST_BAR), 1)
        bars.append(
            Bar(
                kind=step.kind.value,
                x=x,
                y=top + track * _TRACK,
                width=width,
                text=_text_within(step, width),
                title=_title(step),
            )
        )
    return tuple(bars), len(free_from_s)


def _text_within(step: Step, width: float) -> str:
    """Return the longest text for a bar that has room in it."""
    did, room = step_text(step).did, int((width - 2 * _PADDING) // _CHARACTER)
    is_call = step.kind is StepKind.MODEL_CALL
    name = str(step.model_call) if is_call else plain(step.name)
    texts = (did, f"call {name}", name) if is_call else (did, name)
    fitting = (text for text in texts if len(text) <= room)
    cut = shortened(name, room) if room >= _FEWEST_CHARACTERS else ""
    return next(fitting, cut)


def _title(step: Step) -> str:
    text = step_text(step)
    place = f", {text.place}" if text.place else ""
    return f"{text.session}: {text.did}, {text.length} from {text.begin}{place}"


def _ticks(scale: _Scale) -> tuple[Tick, ...]:
    times_s = even_ticks(scale.begin_s, scale.end_s)
    return tuple(
        Tick(scale.x(at_s), text) for at_s, text in zip(times_s, times_text(times_s), strict=True)
    )


def _within(at_s: float | None, scale: _Scale) -> float | None:
    return scale.x(at_s) if at_s is not None and scale.shows(at_s) else None


def _failed_x(session: int, failure: Failure, scale: _Scale) -> float | None:
    return _within(failure.at_s, scale) if session == failure.session else None


def _moment(failure: Failure, scale: _Scale) -> Moment | None:
    x = _within(failure.at_s, scale)
    if x is None or failure.at_s is None:
        return None
    text = f"{failure.kind.value.replace('_', ' ')}, after {seconds(failure.at_s)}"
    is_right = x + _PADDING + _text_width(text) > scale.right
    return Moment(x=x, text=text, anchor="end" if is_right else "start")


def _keys(lanes: Sequence[Lane], scale: _Scale, top: float) -> tuple[tuple[Key, ...], float]:
    """Return the legend of what is drawn, and where it ends."""
    drawn = {bar.kind for lane in lanes for bar in lane.bars}
    meant: list[tuple[str, bool, str]] = [
        (kind.value, True, text) for kind, text in _MEANINGS.items() if kind.value in drawn
    ]
    if any(lane.failed_x is not None for lane in lanes):
        meant.append(("failed", False, "goes wrong"))
    if any(lane.cancelled_x is not None for lane in lanes):
        meant.append(("cancelled", False, "cancelled"))
    keys, x, y = [], scale.left, top
    for kind, is_bar, text in meant:
        width = 34 + _text_width(text) + _MARGIN
        if x + width > scale.right and x > scale.left:
            x, y = scale.left, y + _LINE + 5
        keys.append(Key(kind=kind, is_bar=is_bar, x=x, y=y, text=text))
        x += width
    return tuple(keys), y + _LINE


def _description(lanes: Sequence[Lane], scale: _Scale, failure: Failure) -> str:
    sessions = listed([lane.name.removeprefix("session ") for lane in lanes])
    noun = "Session" if len(lanes) == 1 else "Sessions"
    told = [
        f"{noun} {sessions} from {seconds(scale.begin_s)} to {seconds(scale.end_s)}, "
        f"{counted(sum(len(lane.bars) for lane in lanes), 'step')}.",
        *(f"{lane.name.capitalize()}: {', '.join(lane.notes)}." for lane in lanes if lane.notes),
    ]
    if failure.at_s is not None:
        told.append(f"The failure is after {seconds(failure.at_s)}.")
    return " ".join(told)


def _text_width(text: str) -> float:
    return len(text) * _CHARACTER
