"""A lesson in the terminal: its claim, the code that was run, lanes over time, the observation."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping

from ...bench.results.formatting import seconds as duration
from ...bench.results.lesson import Doing, Lesson, Played, Seen, Segment
from ...mocks.clock import seconds
from ..comparison.lesson_text import observation

_SIGNS = {Doing.WAITS: "▒", Doing.BLOCKS: "█"}
_CUT_SHORT = "✗"
_WIDTH = 50
_WRAP = 88
LEGEND = "▒ waits, and other tasks run   █ blocks its thread   ✗ cancelled or failed"


def lesson_text(lesson: Lesson, played: Mapping[str, Played], seen: Seen) -> str:
    """Return a lesson as text.

    Args:
        lesson: The lesson.
        played: What was seen of each of its acts, by the act's name.
        seen: What was seen of its claim.
    """
    longest_ns = max(one.took_ns for one in played.values())
    lines = [_plain(lesson.claim), "", *textwrap.wrap(_plain(lesson.why), _WRAP)]
    lines += ["", textwrap.indent(code_of(lesson), "    ")]
    for act in lesson.acts:
        one = played[act.__name__]
        lines += ["", f"{act.__name__} took {duration(one.took_s)} on {lesson.loop_of(act)}"]
        lines += _lanes(one, longest_ns)
        lines += [f"  {duration(seconds(at_ns)):>7}  {text}" for at_ns, text in one.said]
    if any(one.segments for one in played.values()):
        lines += ["", LEGEND]
    lines += [
        "",
        f"{'observed' if seen.holds else 'NOT OBSERVED'}: {observation(lesson.name, seen)}.",
    ]
    return "\n".join(lines)


def code_of(lesson: Lesson) -> str:
    """Return the code that a lesson runs: its module from the imports to what judges it."""
    source = inspect.getsource(inspect.getmodule(lesson.seen) or lesson.seen)
    lines = source.splitlines()
    body = ast.parse(source).body
    last_import = [node for node in body if isinstance(node, ast.ImportFrom)][-1]
    judge = next(node for node in body if getattr(node, "name", "") == lesson.seen.__name__)
    return "\n".join(lines[last_import.lineno : judge.lineno - 1]).strip()


def _plain(text: str) -> str:
    return text.replace("`", "")


def _lanes(played: Played, longest_ns: int) -> Iterator[str]:
    lanes = dict.fromkeys(each.lane for each in played.segments)
    widest = max((len(lane) for lane in lanes), default=0)
    for lane in lanes:
        columns = [" "] * (_WIDTH + 1)
        for each in played.segments:
            if each.lane == lane:
                _draw(columns, each, longest_ns)
        yield f"  {lane:<{widest}}  {''.join(columns).rstrip()}"


def _draw(columns: list[str], each: Segment, longest_ns: int) -> None:
    first = round(each.begin_ns * _WIDTH / max(1, longest_ns))
    last = max(first + 1, round(each.end_ns * _WIDTH / max(1, longest_ns)))
    for column in range(first, last):
        columns[column] = _SIGNS[each.doing]
    if each.is_cut_short:
        columns[last - 1] = _CUT_SHORT
