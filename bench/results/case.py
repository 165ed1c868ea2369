"""A schedule of an exploration in part: what of it is kept, as a value and as text. Pure.

    17                                          schedule 17
    17/sessions=3+7                             only two of its sessions
    17/sessions=3+7/waits=3.0+7.1.2             of its draws, two; the other latencies are medians
    17/sessions=3+7/waits=3.0@3ms               one is not drawn, but its median and 3 ms more
    17/cancels=3~answer~2~end/choices=          one cancelled session, nobody out of turn
    17/choices=session%203%20answer%201~0~session%207%20answer%201

A wait is named by the session or conversation, the model call in it, counted from 0, and the tool
that this one asks for, counted from 1; ``@-3ms`` makes it so much shorter than its median. A
cancellation is named by the session, what it awaits then,
which of these waits it is, counted from 1, and when: ``begin``, ``end``, or so many milliseconds
after its begin, ``250ms``. ``cancels=3`` of older versions cancels session 3 after the time that
these drew for it. A choice is named by who went on before, the ordinal of the
choice after that, and who went on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from urllib.parse import quote, unquote

from ...mocks.clock import Choice
from ...mocks.scenario import WaitName
from .cancellation import AT_ITS_BEGIN, AT_ITS_END, Cancellation

T = TypeVar("T")

_SEPARATOR = "+"
_NS_PER_MS = 1_000_000
_BEGIN, _END, _MS, _BY = "begin", "end", "ms", "@"


class KeptLatency(NamedTuple):
    """A latency that is not the median of what it is drawn from.

    Attributes:
        wait: Whose.
        by_ms: How many milliseconds more than the median it is; ``None``: as the schedule draws it.
    """

    wait: WaitName
    by_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What of a schedule is kept; ``None`` stands for all of it.

    Attributes:
        schedule: Number of the schedule.
        sessions: The sessions that run.
        waits: The model calls and tool calls whose latencies are kept; the others take the median
            of what they are drawn from.
        cancels: When which sessions are cancelled; a number alone stands for what older versions
            drew for that session.
        choices: Who goes on before those that could go on first.
    """

    schedule: int
    sessions: tuple[int, ...] | None = None
    waits: tuple[KeptLatency, ...] | None = None
    cancels: tuple[int | Cancellation, ...] | None = None
    choices: tuple[Choice, ...] | None = None


def case_text(case: Case) -> str:
    """Return a case as text that a shell takes for one word."""
    parts: list[tuple[str, Iterable[str] | None]] = [
        ("sessions", _each(str, case.sessions)),
        ("waits", _each(_wait_text, case.waits)),
        ("cancels", _each(_cancel_text, case.cancels)),
        ("choices", _each(_choice_text, case.choices)),
    ]
    told = (f"{name}={_SEPARATOR.join(items)}" for name, items in parts if items is not None)
    return "/".join([str(case.schedule), *told])


def parse_case(text: str) -> Case:
    """Return the case that a text stands for.

    Raises:
        ValueError: It is none; the message says what was expected.
    """
    number, *parts = text.split("/")
    known = {"sessions": _whole, "waits": _wait, "cancels": _cancel, "choices": _choice}
    read: dict[str, tuple[object, ...]] = {}
    try:
        schedule = _whole(number)
        for part in parts:
            name, items = part.split("=")
            parse = known[name]
            read[name] = tuple(parse(item) for item in items.split(_SEPARATOR) if item)
    except (KeyError, ValueError):
        raise ValueError(
            f"{text!r}: expected the number of a schedule, or the text behind --replay that an "
            "exploration printed, such as 17/sessions=0+3"
        ) from None
    return Case(schedule, **read)  # type: ignore[arg-type]  # each by its own reader


def _each(tell: Callable[[T], str], items: Iterable[T] | None) -> Iterable[str] | None:
    return None if items is None else [tell(item) for item in items]


def _wait_text(kept: KeptLatency) -> str:
    wait = kept.wait
    tool = f".{wait.tool}" if wait.tool else ""
    by = "" if kept.by_ms is None else f"{_BY}{kept.by_ms}{_MS}"
    return f"{wait.number}.{wait.step}{tool}{by}"


def _cancel_text(cancel: int | Cancellation) -> str:
    if isinstance(cancel, int):
        return str(cancel)
    match cancel.after_ns:
        case None:
            moment = _END
        case 0:
            moment = _BEGIN
        case after_ns:
            moment = f"{after_ns // _NS_PER_MS}{_MS}"
    return f"{cancel.session}~{_quoted(cancel.what)}~{cancel.ordinal}~{moment}"


def _choice_text(choice: Choice) -> str:
    return f"{_quoted(choice.after)}~{choice.ordinal}~{_quoted(choice.chosen)}"


def _quoted(name: str) -> str:
    return quote(name, safe="").replace("~", "%7E")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20:  # noqa: PLR2004 - far beyond any
        raise ValueError(text)
    return int(text)


def _wait(text: str) -> KeptLatency:
    name, at, by = text.partition(_BY)
    number, step, *tool = map(_whole, name.split("."))
    (which,) = tool or [0]
    by_ms = None
    if at:
        if not by.endswith(_MS):
            raise ValueError(text)
        by_ms = _whole(by.removeprefix("-").removesuffix(_MS))
    if by_ms is not None and by.startswith("-"):
        by_ms = -by_ms
    return KeptLatency(WaitName(number, step, which), by_ms)


def _cancel(text: str) -> int | Cancellation:
    if "~" not in text:
        return _whole(text)
    session, what, ordinal, moment = text.split("~")
    if not what:
        raise ValueError(text)
    after_ns = {_BEGIN: AT_ITS_BEGIN, _END: AT_ITS_END}.get(moment, -1)
    if after_ns == -1:
        if not moment.endswith(_MS):
            raise ValueError(text)
        after_ns = _whole(moment.removesuffix(_MS)) * _NS_PER_MS
    return Cancellation(_whole(session), unquote(what), _whole(ordinal), after_ns)


def _choice(text: str) -> Choice:
    after, ordinal, chosen = text.split("~")
    return Choice(unquote(after), _whole(ordinal), unquote(chosen))
