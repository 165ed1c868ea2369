"""The page on the architecture names what is there, and shows the order that the linter holds."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs" / "architecture.md").read_text()
ROOMS, WAYS = PAGE.split("## Why in this order")
TOP = ("mocks", "bench", "reports", "agent")
CODE = re.compile(r"`([^`]+)`")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?")
OPTION = re.compile(r"--[a-z-]+")
ROOM = re.compile(r"^\| `((?:mocks|bench|reports|agent)/[^`]*)` \|", re.MULTILINE)
# What the page spells as code, and is neither a name nor a path of this repository.
OTHERS = {
    *("wall", "warp", "virtual", "lab"),
    *("run.json", "make lint", "[model]", "latency_s = 0.5", "client.chat.completions.create(…)"),
    *("warpbench.mocks", "warpbench.bench", "warpbench.reports", "warpbench.agent"),
}


def is_path(code: str) -> bool:
    return "/" in code or code.endswith((".md", ".toml"))


def paragraphs() -> list[str]:
    """Return the page in pieces that are read by themselves: a row, an item, a paragraph."""
    return [part for part in re.split(r"\n(?=\||\d+\. |- |\n)", PAGE) if "`" in part]


def module(path: str) -> ModuleType:
    parts = Path(path).with_suffix("").parts
    return importlib.import_module(".".join(("warpbench", *parts)).removesuffix(".__init__"))


def has(place: object, name: str) -> bool:
    """Whether a module has a name, or one of its classes a field or method of that name."""
    owner, _, attribute = name.rpartition(".")
    if owner:
        return hasattr(place, owner) and _has_member(getattr(place, owner), attribute)
    return hasattr(place, name) or any(
        _has_member(value, name) for value in vars(place).values() if isinstance(value, type)
    )


def _has_member(owner: Any, name: str) -> bool:
    return hasattr(owner, name) or name in getattr(owner, "__annotations__", {})


def layers() -> Iterator[list[str]]:
    """Yield the contracts on the order of rooms: the layers, from the lowest on."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            yield contract["layers"][::-1]


@pytest.mark.parametrize("path", sorted({code for code in CODE.findall(PAGE) if is_path(code)}))
def test_a_path_of_the_page_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()
    assert (CHECKOUT / path).is_dir() == path.endswith("/")


@pytest.mark.parametrize("paragraph", paragraphs(), ids=lambda text: text[:40])
def test_a_name_of_the_page_is_in_a_module_named_beside_it(paragraph: str) -> None:
    codes = [code for code in CODE.findall(paragraph) if code not in OTHERS]
    modules = [module(code) for code in codes if code.endswith(".py")]
    options = [code.split()[0] for code in codes if code.startswith("--")]
    names = [code for code in codes if not is_path(code) and not code.startswith("--")]

    assert [name for name in names if not IDENTIFIER.fullmatch(name)] == []
    assert [name for name in names if not any(has(place, name) for place in modules)] == []
    assert [option for option in options if not is_declared(option)] == []


def is_declared(option: str) -> bool:
    """Whether a file of the command line spells an option, or the parameter that it is made of."""
    assert OPTION.fullmatch(option)
    spelled = re.compile(rf"{option}\b|\b{option.removeprefix('--').replace('-', '_')}\b")
    return any(spelled.search(file.read_text()) for file in (CHECKOUT / "bench/cli").glob("*.py"))


def test_every_room_has_its_line() -> None:
    rooms = {
        f"{file.parent.relative_to(CHECKOUT)}/"
        for top in TOP
        for file in (CHECKOUT / top).rglob("__init__.py")
    }
    named = {room for room in ROOM.findall(ROOMS) if room.endswith("/")}

    assert named == rooms - {f"{top}/" for top in TOP}


def test_the_rooms_stand_in_the_order_that_the_linter_holds() -> None:
    places = {
        room.removesuffix("/").removesuffix(".py"): number
        for number, room in enumerate(ROOM.findall(ROOMS))
    }

    def places_of(layer: str) -> list[int]:
        """Where the rooms of a layer stand; those that hold others, where the last of them does."""
        paths = [
            part.strip().removeprefix("warpbench.").replace(".", "/") for part in layer.split("|")
        ]
        return [
            number
            for path in paths
            for room, number in places.items()
            if (room + "/").startswith(path + "/")
        ]

    compared = 0
    for contract in layers():
        known = [found for layer in contract if (found := places_of(layer))]
        for lower, higher in pairwise(known):
            assert max(lower) < min(higher), contract
            compared += 1
    assert compared > 25
