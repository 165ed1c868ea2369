"""Whose code a function is, and how it is named the same on every machine."""

import asyncio
import site
import sys
import sysconfig
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

from ...mocks.observe.session import SESSION

_ROOT = Path(__file__).resolve().parents[2]
_CALLS_SESSIONS = f"{_ROOT / 'bench'}/"
_LAB = tuple(f"{_ROOT / room}/" for room in ("bench", "mocks", "reports"))
_SITE_FOLDERS = ("site-packages", "dist-packages")
_MOST_CALLERS = 12
_DEEPEST = 64
"""Of the coroutines that a task waits in, so many are looked at."""


class Origin(StrEnum):
    """Whose code it is."""

    OWN = "own"
    PACKAGE = "package"
    STANDARD = "standard"
    LAB = "lab"


@cache
def origin_of(file: str) -> Origin:
    """Return whose code a source file holds; what is neither installed nor ours is the user's."""
    if file.startswith("<"):  # made at run time, by dataclasses for instance
        return Origin.STANDARD
    # The lab itself may be installed, or be a checkout.
    if file.startswith(_LAB):
        return Origin.LAB
    if _installed_name(file) is not None:
        return Origin.PACKAGE
    return Origin.STANDARD if file.startswith(_standard_folders()) else Origin.OWN


@cache
def name_of_file(file: str) -> str:
    """Return a file's name without what differs from machine to machine.

    ``openai/_client.py`` of an installed package, ``asyncio/tasks.py`` of the standard
    library, and the path from the current directory for a file below it.
    """
    installed = _installed_name(file)
    if installed is not None:
        return installed
    for folder in (*_standard_folders(), *_current_folder()):
        if file.startswith(folder):
            return file.removeprefix(folder)
    return Path(file).name


def _current_folder() -> tuple[str, ...]:
    try:
        return (f"{Path.cwd()}/",)
    except FileNotFoundError:  # somebody has removed it
        return ()


def place_of(code: CodeType) -> str:
    """Return where a function is: ``agent/tools.py:Toolbox.call``."""
    return f"{name_of_file(code.co_filename)}:{code.co_qualname}"


def caller_here() -> str:
    """Return the line of the user's code that is running, or that has called what is.

    What runs may be a task of a package, which no such line has called: then it is the line at
    which the session waits for it. Empty text if there is none, either.
    """
    return caller_of(sys._getframe(1))


def caller_of(frame: FrameType | None) -> str:
    """Return the line of the user's code of a frame, or that has called it; see ``caller_here``."""
    # Behind what calls the session is what calls the lab: a test, for instance.
    while frame is not None and not frame.f_code.co_filename.startswith(_CALLS_SESSIONS):
        if origin_of(frame.f_code.co_filename) is Origin.OWN:
            return _line_of(frame)
        frame = frame.f_back
    scope = SESSION.get()
    if scope is None or scope.is_over or not isinstance(scope.task, asyncio.Task):
        return ""
    waiting = [
        frame
        for frame in frames_of(scope.task)
        if origin_of(frame.f_code.co_filename) is Origin.OWN
    ]
    return _line_of(waiting[-1]) if waiting else ""


def frames_of(task: asyncio.Task[object]) -> Iterator[FrameType]:
    """Yield the frames of the coroutines that a task waits in, the outermost first."""
    return frames_below(task.get_coro())


def frames_below(awaiting: object) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of those that it waits in, the outermost first."""
    for _ in range(_DEEPEST):
        frame = getattr(awaiting, "cr_frame", None) or getattr(awaiting, "gi_frame", None)
        if not isinstance(frame, FrameType):
            return
        yield frame
        awaiting = getattr(awaiting, "cr_await", None) or getattr(awaiting, "gi_yieldfrom", None)


def _line_of(frame: FrameType) -> str:
    return f"{place_of(frame.f_code)}:{frame.f_lineno}"


def callers_here() -> tuple[str, ...]:
    """Return the lines of the user's code that called what is running, the innermost first.

    Up to where the lab called that code.
    """
    frame: FrameType | None = sys._getframe(1)
    places: list[str] = []
    while frame is not None and len(places) < _MOST_CALLERS:
        origin = origin_of(frame.f_code.co_filename)
        if origin is Origin.OWN:
            places.append(_line_of(frame))
        elif origin is Origin.LAB and places:
            break
        frame = frame.f_back
    return tuple(places)


@cache
def installed_module_of(file: str) -> frozenset[str]:
    """Return the top-level module of an installed package that a file is of, if it is of one."""
    installed = _installed_name(file)
    return frozenset() if installed is None else frozenset({Path(installed).parts[0].split(".")[0]})


@cache
def named_installed_module(name: str) -> frozenset[str]:
    """Return the installed top-level module that a dotted name begins with, if it does."""
    file = getattr(sys.modules.get(name.split(".", maxsplit=1)[0]), "__file__", None)
    return frozenset() if file is None else installed_module_of(file)


def _installed_name(file: str) -> str | None:
    """Return the part of a path that follows ``site-packages``, if it is in such a folder."""
    for folder in _site_folders():
        if file.startswith(folder):
            return file.removeprefix(folder)
    parts = Path(file).parts
    for name in _SITE_FOLDERS:
        if name in parts:
            return str(Path(*parts[parts.index(name) + 1 :]))
    return None


@cache
def _site_folders() -> tuple[str, ...]:
    paths = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages())
    return tuple(dict.fromkeys(f"{path}/" for path in paths))


@cache
def _standard_folders() -> tuple[str, ...]:
    paths = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return tuple(dict.fromkeys(f"{path}/" for path in paths))
