"""Reads the stack below which a wait begins: whose it is, where, and what is called to wait.

The coroutines in which a task waits stand on the stack as plain functions do, as long as it runs.
"""

import asyncio
import concurrent.futures
import threading
from asyncio import events
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ... import mocks
from ...mocks.clock.own_waits import BY_STACK, JOIN, LOCK, SLEEP
from ..attribution.own_waits import Awaited
from .code_origin import Origin, origin_of, place_of

_CLOCK = f"{Path(mocks.__file__).parent / 'clock'}/"
_TASKS = asyncio.tasks.__file__
_SLEEP = "sleep"
_RUNS_CALLBACKS = events.Handle._run.__code__
_RUNS_LOOP = "run_forever"
"""Of a loop of the clock; uvloop's callbacks are called below Python."""

_WITH_MODULES = frozenset({"concurrent", "multiprocessing"})
"""The packages of the standard library whose functions are called by their modules' names."""

# To go through the class takes longer than all that is done with it.
_OWN, _LAB, _PACKAGE = Origin.OWN, Origin.LAB, Origin.PACKAGE

_AROUND = frozenset({"__aenter__", "__enter__", "__aexit__", "__exit__", "wait_for"})
"""Of whatever: what they call has the name."""


def _by_code(*functions: tuple[Any, Awaited]) -> Mapping[int, Awaited]:
    """Return what functions stand for, by the identity of their code: to hash that takes long."""
    return {id(function.__code__): awaited for function, awaited in functions}


FUTURES_OF = _by_code(
    (asyncio.Lock.acquire, Awaited.LIMIT),
    (asyncio.Semaphore.acquire, Awaited.LIMIT),
    (asyncio.Event.wait, Awaited.SIGNAL),
    (asyncio.Condition.wait, Awaited.SIGNAL),
    (asyncio.Queue.get, Awaited.SIGNAL),
    (asyncio.Queue.put, Awaited.SIGNAL),
)
"""Which functions of asyncio make the future that they await, by the identity of their code."""

_CALLS = _by_code(
    (threading.Semaphore.acquire, Awaited.LIMIT),
    (concurrent.futures.Future.result, Awaited.RESULT),
    (concurrent.futures.Future.exception, Awaited.RESULT),
    (concurrent.futures.wait, Awaited.RESULT),
    (concurrent.futures.as_completed, Awaited.RESULT),
)
"""What a thread waits for that waits for a condition; otherwise it is a signal."""

BELOW_PYTHON: Mapping[str, Awaited] = {
    SLEEP: Awaited.TIME,
    LOCK: Awaited.LIMIT,
    JOIN: Awaited.RESULT,
    BY_STACK: Awaited.SIGNAL,
}
"""What the wait of a thread is for, by what the clock calls it."""


class Stack(NamedTuple):
    """What a stack says of a wait: a tuple, since it is made in the midst of what is measured.

    Attributes:
        own: The user's functions, the outermost first.
        called: What the innermost of them has called to wait, if that is in Python.
        is_packages: Whether code of a package stands between them and the wait.
        awaited: What that call stands for, if that is known.
    """

    own: list[FrameType]
    called: FrameType | None
    is_packages: bool
    awaited: Awaited | None


class StackReader:
    """Reads the stacks of one trial; what it finds of files and lines is kept."""

    def __init__(self) -> None:
        self._origins: dict[str, Origin] = {}
        self._places: dict[tuple[str, int, int], str] = {}
        self._names: dict[tuple[str, str], str] = {}

    def read(self, innermost: FrameType) -> Stack | None:  # noqa: C901 (in one piece: it is hot)
        """Read a stack outwards, from the code that called the clock.

        It ends where an event loop or the lab called what runs.

        Returns:
            ``None`` if it is the lab's wait, or one for other tasks, which have waits of their own.
        """
        own: list[FrameType] = []
        called, is_packages, awaited = None, False, None
        origins = self._origins
        frame: FrameType | None = innermost
        while frame is not None:
            code = frame.f_code
            if code is _RUNS_CALLBACKS:
                break
            file = code.co_filename
            origin = origins.get(file)
            if origin is None:
                origin = origins[file] = origin_of(file)
            if origin is _OWN:
                own.append(frame)
            elif origin is _LAB:
                if own:
                    break
                if not file.startswith(_CLOCK):
                    return None
                if code.co_name == _RUNS_LOOP:
                    break
            elif not own:
                awaited = _CALLS.get(id(code), awaited)
                is_packages = is_packages or origin is _PACKAGE
                if called is None or code.co_name not in _AROUND:
                    called = frame
            frame = frame.f_back
        if called is not None and _is_for_tasks(called.f_code):
            return None
        own.reverse()
        return Stack(own, called, is_packages, awaited)

    def place(self, frame: FrameType) -> str:
        """Return the user's function with its line."""
        code = frame.f_code
        # To find the line takes longer than all the rest.
        key = code.co_filename, code.co_firstlineno, frame.f_lasti
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = f"{place_of(code)}:{frame.f_lineno}"
        return place

    def name(self, frame: FrameType) -> str:
        """Return a function as its users know it: ``asyncio.Lock.acquire``, ``anyio.sleep``."""
        key = frame.f_code.co_filename, frame.f_code.co_qualname
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = _public_name(frame)
        return name


def _is_for_tasks(code: CodeType) -> bool:
    return code.co_filename == _TASKS and code.co_name != _SLEEP


def _public_name(frame: FrameType) -> str:
    module = str(frame.f_globals.get("__name__", ""))
    package, _, below = module.partition(".")
    if origin_of(frame.f_code.co_filename) is Origin.STANDARD and package in _WITH_MODULES:
        package = f"{package}.{below.partition('.')[0]}"
    return f"{package}.{frame.f_code.co_qualname.partition('.<locals>')[0]}"
