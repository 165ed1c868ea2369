"""What ``warpbench learn`` does: lists the lessons, or plays them and shows what they show."""

from pathlib import Path

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.terminal.lesson import lesson_text
from ..lessons import LESSONS
from ..lessons.playing import play
from .exit_status import BAD_ANSWER, DONE
from .factors import folder
from .names import ALL_LESSONS
from .options import FileMessages
from .showing import show_paths


def learn(lesson_name: str | None, out: Path | None, messages: FileMessages) -> int:
    """List the lessons, or play one or all; return the exit status."""
    console = Console()
    if lesson_name is None:
        for lesson in LESSONS.values():
            text = f"{lesson.name:<15}{lesson.claim.replace('`', '')}"
            console.print(text, soft_wrap=True, markup=False, highlight=False)
        return DONE
    names = list(LESSONS) if lesson_name == ALL_LESSONS else [lesson_name]
    out = None if out is None else folder(out)
    all_hold = True
    for name in names:
        lesson = LESSONS[name]
        try:
            played = play(lesson)
        except UsageError as error:
            if len(names) == 1:
                raise
            console.print(f"{name}: left out, {error}", markup=False, highlight=False)
            continue
        seen = lesson.seen(played)
        all_hold = all_hold and seen.holds
        if len(names) > 1:
            console.rule(name)
        console.print(
            lesson_text(lesson, played, seen), soft_wrap=True, markup=False, highlight=False
        )
        if out is not None:
            # matplotlib takes half a second to import.
            from ...reports.charts.lesson import write_lesson  # noqa: PLC0415

            show_paths(write_lesson(lesson, played, seen, out), console, messages)
    return DONE if all_hold else BAD_ANSWER
