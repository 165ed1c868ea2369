"""Rooms import each other relatively; which room may import which is import-linter's to say."""

import ast
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "bench", "mocks", "reports")
SOURCES = sorted(path for room in ROOMS for path in (CHECKOUT / room).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_rooms_import_each_other_relatively(path: Path) -> None:
    """So that a stray ``import bench`` fails at once instead of finding another package's."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and not node.level:
            assert (node.module or "").split(".")[0] not in {*ROOMS, "warpbench"}
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
            assert not roots & {*ROOMS, "warpbench"}


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
