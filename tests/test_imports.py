"""Rooms import each other relatively; which room may import which is import-linter's to say."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "bench", "mocks", "reports")
SOURCES = sorted(path for room in ROOMS for path in (CHECKOUT / room).rglob("*.py"))


def imports_of(source: str) -> set[str]:
    """Return the first names of what a module imports, other than relatively."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def test_rooms_import_each_other_relatively() -> None:
    """So that a stray ``import bench`` fails at once instead of finding another package's."""
    rooms = {*ROOMS, "warpbench"}
    assert imports_of("import os, bench.cli\nfrom mocks import clock\nfrom . import reports") == {
        *("os", "bench", "mocks"),
    }
    named = re.compile(rf"\bimport\b.*\b({'|'.join(rooms)})\b|\bfrom\s+({'|'.join(rooms)})\b")
    stray = {
        str(path.relative_to(CHECKOUT)): imports_of(source) & rooms
        for path in SOURCES
        if named.search(source := path.read_text())  # few do, and to parse all takes seconds
    }
    assert {path: names for path, names in stray.items() if names} == {}


def test_every_room_says_in_a_sentence_what_it_is_for() -> None:
    for room in ROOMS:
        for init in (CHECKOUT / room).rglob("__init__.py"):
            assert ast.get_docstring(ast.parse(init.read_text())), init


def test_every_room_is_in_the_wheel() -> None:
    """They are named one by one in ``pyproject.toml``; an editable install does not miss any."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    named = set(settings["tool"]["setuptools"]["packages"]) - {"warpbench"}
    inits = (init for room in ROOMS for init in (CHECKOUT / room).rglob("__init__.py"))
    rooms = (init.parent.relative_to(CHECKOUT) for init in inits)
    assert named == {".".join(("warpbench", *room.parts)) for room in rooms}
