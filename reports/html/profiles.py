"""Profiles as files: pyinstrument's page and speedscope's for each cell, and one of all of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyinstrument.renderers import HTMLRenderer, SpeedscopeRenderer

from ...bench.results.formatting import name, percent, seconds
from ...bench.results.json_file import write_text
from ...bench.results.profile import Profile
from ...mocks.errors import UsageError
from ...mocks.redaction import redacted
from .page import stylesheet, template
from .write import PROFILE_PAGE

_MOST_ROWS = 15
# pyinstrument's page asks for a font of Google's; offline it has another, and nobody is asked.
_REQUEST = re.compile(r"https://fonts\.googleapis\.com[^\"')\s]*")
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">"
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one cell spent on one thing: seconds a session, and as a share of all."""

    text: str
    percent: float


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, and what each cell spent on it."""

    name: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What cells spent, side by side."""

    title: str
    what: str
    cells: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of one profile."""

    name: str
    page: str
    speedscope: str


def tables(profiles: Sequence[Profile]) -> tuple[Table, ...]:
    """Put profiles side by side: by package, and by function."""
    cells = tuple(profile.cell.name for profile in profiles)
    return (
        Table("By package", "whose code ran", cells, _rows(profiles, lambda each: each.by_package)),
        Table(
            "By function", "function, itself", cells, _rows(profiles, lambda each: each.by_function)
        ),
    )


def write_profiles(profiles: Sequence[Profile], folder: Path, report: str | None) -> list[Path]:
    """Write all files of profiles.

    Args:
        profiles: The profiles.
        folder: Where to; it is made where it is missing.
        report: Name of the report's file, if there is one to lead back to.

    Returns:
        The files, that of all side by side first.

    Raises:
        UsageError: A file cannot be written.
    """
    trees, files = [], []
    profiles = [replace(profile, cell=redacted(profile.cell)) for profile in profiles]
    for profile in profiles:
        stem = f"profile-{re.sub(r'[^a-z0-9]+', '-', profile.cell.name.lower()).strip('-')}"
        tree = Tree(profile.cell.name, f"{stem}.html", f"{stem}.speedscope.json")
        page, speedscope = folder / tree.page, folder / tree.speedscope
        whole = _offline(HTMLRenderer().render(profile.session))
        write_text(page, whole, UsageError)
        write_text(speedscope, SpeedscopeRenderer().render(profile.session), UsageError)
        trees.append(tree)
        files += [page, speedscope]
    index = folder / PROFILE_PAGE
    text = template(PROFILE_PAGE).render(
        names=", ".join(tree.name for tree in trees),
        style=stylesheet(),
        tables=tables(profiles),
        trees=trees,
        report=report,
    )
    write_text(index, text, UsageError)
    return [index, *files]


def _rows(
    profiles: Sequence[Profile], spent: Callable[[Profile], Mapping[str, float]]
) -> tuple[Row, ...]:
    """Return the things on which any cell spent most, the greatest share first."""
    of_cells = [spent(profile) for profile in profiles]
    totals_s = [max(profile.total_s, 1e-9) for profile in profiles]

    def greatest(what: str) -> float:
        return max(
            spent_s.get(what, 0.0) / total_s
            for spent_s, total_s in zip(of_cells, totals_s, strict=True)
        )

    things = sorted({what for spent_s in of_cells for what in spent_s}, key=greatest, reverse=True)
    return tuple(
        Row(
            name(what),
            tuple(
                _share(spent_s.get(what, 0.0), total_s, profile.cell.session_count)
                for spent_s, total_s, profile in zip(of_cells, totals_s, profiles, strict=True)
            ),
        )
        for what in things[:_MOST_ROWS]
    )


def _share(spent_s: float, total_s: float, session_count: int) -> Share:
    share = spent_s / total_s
    return Share(f"{seconds(spent_s / session_count)} {percent(share)}", share * 100)


def _offline(page: str) -> str:
    return _REQUEST.sub("data:,", page).replace("<head>", f"<head>{_POLICY}", 1)
