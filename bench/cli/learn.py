"""``warpbench learn``: claims about asyncio, each shown by a few lines that are run."""

import argparse

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.terminal.lesson import lesson_text
from ..lessons import LESSONS
from ..lessons.playing import play
from ..runner.choices import one_of
from .options import folder

_ALL = "all"


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "learn",
        help="claims about asyncio, each shown by a few lines that are run",
        description="Without a name it lists the lessons. All run in virtual time.",
    )
    parser.set_defaults(command=_learn)
    parser.add_argument("lesson", nargs="?", metavar="LESSON", help=f"one of them, or {_ALL}")
    parser.add_argument("--out", metavar="DIR", help="folder for a picture of it")


def _learn(options: argparse.Namespace) -> int:
    console = Console()
    if options.lesson is None:
        for lesson in LESSONS.values():
            text = f"{lesson.name:<15}{lesson.claim.replace('`', '')}"
            console.print(text, soft_wrap=True, markup=False, highlight=False)
        return 0
    names = list(LESSONS) if options.lesson == _ALL else [options.lesson]
    out = None if options.out is None else folder(options.out)
    all_hold = True
    for name in names:
        lesson = LESSONS[one_of("lesson", name, (*LESSONS, _ALL))]
        try:
            played = play(lesson)
        except UsageError as error:
            if len(names) == 1:
                raise
            console.print(f"{name}: left out, {error}", markup=False, highlight=False)
            continue
        all_hold = all_hold and lesson.seen(played).holds
        if len(names) > 1:
            console.rule(name)
        console.print(lesson_text(lesson, played), soft_wrap=True, markup=False, highlight=False)
        if out is not None:
            # matplotlib takes half a second to import.
            from ...reports.charts.lesson import write_lesson  # noqa: PLC0415

            for path in write_lesson(lesson, played, out):
                console.print(str(path), soft_wrap=True, markup=False, highlight=False)
    return 0 if all_hold else 1
