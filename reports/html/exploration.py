"""The page of an exploration: each failure with its smallest case, its picture and its command.

It is one HTML file without a script that asks for nothing, as the report of a run
(``page``), and has its style.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from ...bench.results.exploration import Exploration, Found
from ...bench.results.exploration_file import EXPLORATION_FILE, Explorations, write_explorations
from ...bench.results.formatting import counted, listed, plain, seconds, whole
from ...bench.results.json_file import write_text
from ...mocks.errors import UsageError
from ...mocks.redaction import redacted
from ..charts.palette import LANE_COLOURS, on_dark
from ..comparison.exploration import (
    FoundText,
    NoteText,
    StepText,
    cell_text,
    found_text,
    not_compared_text,
    not_repeated_text,
    note_text,
    step_text,
    times_text,
    unfinished_text,
)
from ..comparison.failures import failure_text
from .page import stylesheet, template
from .swim_lanes import BAR_HEIGHT, LanePicture, draw_lanes, shown_steps

EXPLORATION_PAGE = "exploration.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSection:
    """One failure of the page.

    Attributes:
        number: Its number on the page: two may have the same heading else.
        id: Its identifier.
        text: What is said of it.
        steps: What the sessions did until then, as many of the last as there is room for.
        left_out: How many steps before these are not shown.
        picture: The swim lanes, if a step is known.
    """

    number: int
    id: str
    text: FoundText
    steps: tuple[StepText, ...]
    left_out: int
    picture: LanePicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSection:
    """One cell of the page.

    Attributes:
        id: Its identifier.
        name: Its name.
        facts: What was run, each with its name.
        unfinished: How many schedules were not run; empty if all were.
        not_applicable: Why nothing was run; empty if something was.
        failures: What was found.
        not_repeated: What did not come again, each with what that means.
        notes: What sessions did otherwise than alone where that may be right.
        not_compared: In how many schedules that is not known; empty if in none.
    """

    id: str
    name: str
    facts: tuple[tuple[str, str], ...]
    unfinished: str
    not_applicable: str
    failures: tuple[FailureSection, ...]
    not_repeated: tuple[tuple[str, str], ...]
    notes: tuple[NoteText, ...]
    not_compared: str


def write_exploration(explorations: Explorations, folder: Path | str) -> list[Path]:
    """Write what was found as a page and as JSON, both without secrets.

    Args:
        explorations: What was found.
        folder: Where to; it is made where it is missing.

    Returns:
        The files that were written, the page first.

    Raises:
        UsageError: A file cannot be written.
    """
    page, document = Path(folder) / EXPLORATION_PAGE, Path(folder) / EXPLORATION_FILE
    write_explorations(explorations, document)
    write_text(page, render_exploration(redacted(explorations)), UsageError)
    return [page, document]


def render_exploration(explorations: Explorations) -> str:
    """Return what was found as one HTML document; the same gives the same text."""
    return template("exploration.html").render(
        title=page_title(explorations.explorations),
        cells=_cells(explorations),
        style=stylesheet(),
        colours={kind: (colour, on_dark(colour)) for kind, colour in LANE_COLOURS.items()},
        bar_height=BAR_HEIGHT,
    )


def page_title(explorations: tuple[Exploration, ...]) -> str:
    """Return the finding: how many failures, in how many schedules, of which target."""
    run = [each for each in explorations if each.not_applicable is None]
    targets = listed([*dict.fromkeys(plain(each.cell.target) for each in explorations)])
    if not run:
        return f"No schedule of {targets or 'anything'} was run"
    done = sum(each.schedules for each in run)
    of = sum(max(each.of, each.schedules) for each in run if not each.stopped_at_first)
    some = f"{whole(done)} of " if done < of else ""
    cells = f" in {counted(len(run), 'cell')}" if len(run) > 1 else ""
    schedules = f"{some}{counted(max(done, of), 'schedule')} of {targets}{cells}"
    found = sum(len(each.found) for each in run)
    if found:
        return f"{counted(found, 'distinct failure')} in {schedules}"
    again = " that came again" if any(each.not_repeated for each in run) else ""
    return f"No failure{again} in {schedules}"


def _cells(explorations: Explorations) -> list[CellSection]:
    numbers = count(1)
    return [
        _cell(place, exploration, explorations.scenario, numbers)
        for place, exploration in enumerate(explorations.explorations, 1)
    ]


def _cell(
    place: int, exploration: Exploration, scenario: str, numbers: Iterator[int]
) -> CellSection:
    return CellSection(
        id=f"cell-{place}",
        name=plain(cell_text(exploration.cell)),
        facts=tuple(_facts(exploration)),
        unfinished=unfinished_text(exploration),
        not_applicable=plain(exploration.not_applicable or ""),
        failures=tuple(
            _failure(next(numbers), found, exploration, scenario) for found in exploration.found
        ),
        not_repeated=tuple(
            (failure_text(failure), not_repeated_text(schedule, failure))
            for schedule, failure in exploration.not_repeated
        ),
        notes=tuple(
            note_text(note, exploration.cell, scenario, exploration.schedules)
            for note in exploration.notes
        ),
        not_compared=not_compared_text(exploration),
    )


def _facts(exploration: Exploration) -> list[tuple[str, str]]:
    cell, begin = exploration.cell, exploration.begins_at
    schedules = whole(exploration.schedules)
    if exploration.schedules:
        schedules += f" ({whole(begin)} to {whole(begin + exploration.schedules - 1)})"
    return [
        ("Schedules", schedules),
        ("Seed", str(cell.seed)),
        ("Sessions of a schedule", whole(cell.session_count)),
        ("In flight at most", whole(min(cell.concurrency, cell.session_count))),
        ("Wall time", seconds(exploration.elapsed_s)),
    ]


def _failure(number: int, found: Found, exploration: Exploration, scenario: str) -> FailureSection:
    text = found_text(found, exploration, scenario)
    steps = shown_steps(found)
    return FailureSection(
        number=number,
        id=f"failure-{number}",
        text=text,
        steps=tuple(
            replace(step_text(step), begin=begin)
            for step, begin in zip(steps, times_text([each.begin_s for each in steps]), strict=True)
        ),
        left_out=len(text.steps) - len(steps),
        picture=draw_lanes(found),
    )
