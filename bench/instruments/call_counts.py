"""Counts what a trial computes: the calls of its functions, by a profile hook.

In virtual time nothing but the code decides what is called, so the counts are the same in
every repeat and on every machine that has the same packages. A single added call shows.

A call is a frame that is entered: for the first time, or again after an ``await``. Of C
functions it is what CPython reports as a call of one; one that the lab replaces (``bare_locks``) is
counted all the same. The lab's own functions, what they call in C, and the functions of ``time``
that the clock stands behind, are left out.
"""

import _thread
import asyncio
import gc
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from ...mocks.clock.loops.asyncio_loop import SkippingSelector
from ...mocks.clock.loops.ordering import ordered_task
from ...mocks.clock.loops.uvloop_loop import SkippingUvloop
from ...mocks.clock.threads.bare_locks import stands_for
from ...mocks.clock.threads.frames import frames_by_thread
from ...mocks.clock.time_functions import KEPT_FUNCTIONS
from ...mocks.errors import TrialError
from ..results.call_counts import CallCounts
from .code_origin import Origin, installed_module_of, named_installed_module, origin_of, place_of

_TOOL = "warpbench"
_ITERATIONS = frozenset({SkippingSelector.select.__code__, SkippingUvloop.pace.__code__})
# To start or to join a thread tidies up after those that have ended: how many of them have got
# that far already is up to the scheduler. Python 3.13 does it in C.
_TIDIES_UP = "_maintain_shutdown_locks"
_TASKS = frozenset(
    factory.__code__
    for factory in (ordered_task, getattr(asyncio, "eager_task_factory", None))  # Python 3.12
    if factory is not None
)


class CallCounter:
    """Counts calls in all threads, while ``counting`` is open.

    It has to be installed before the threads start that it shall see.
    """

    def __init__(self) -> None:
        self._counts = _Counts()
        self._blocks_kept = 0
        self._switch: Callable[[bool], None] = lambda _on: None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the interpreter's profile hook in this scope.

        Raises:
            TrialError: Another profiler is.
        """
        profiled = _profiled_by_monitoring if _HAS_MONITORING else _profiled_by_setprofile
        with profiled(self._counts) as self._switch:
            yield

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count in this scope, without the garbage collector: it comes at a moment of chance."""
        gc.collect()
        gc.disable()
        blocks_before = sys.getallocatedblocks()
        self._counts.is_open = True
        self._switch(True)
        try:
            yield
        finally:
            self._switch(False)
            self._counts.is_open = False
            gc.enable()
            gc.collect()
            self._blocks_kept = sys.getallocatedblocks() - blocks_before

    def counts(self) -> CallCounts:
        """Return what was counted."""
        python: defaultdict[str, int] = defaultdict(int)
        c: defaultdict[str, int] = defaultdict(int)
        own: defaultdict[str, int] = defaultdict(int)
        modules: set[str] = set()
        iterations = tasks = 0
        for key, count in self._counts.python.items():
            caller, code = self._counts.python_codes[key]
            iterations += count if code in _ITERATIONS else 0
            tasks += count if code in _TASKS else 0
            if origin_of(code.co_filename) is Origin.LAB:
                method = stands_for(code, caller)
                origin = None if caller is None else origin_of(caller.co_filename)
                if method is not None and caller is not None and origin is not Origin.LAB:
                    c[method] += count
                    if origin is Origin.OWN:
                        own[f"{place_of(caller)} → {method}"] += count
                continue
            modules |= installed_module_of(code.co_filename)
            python[place_of(code)] += count
            if caller is not None and origin_of(caller.co_filename) is Origin.OWN:
                own[f"{place_of(caller)} → {place_of(code)}"] += count
        for key, count in self._counts.c.items():
            calling, name = self._counts.c_names[key]
            origin = origin_of(calling.co_filename)
            if (
                origin is Origin.LAB
                or name is None
                or name in KEPT_FUNCTIONS
                or _tidies_up(calling)
            ):
                continue
            modules |= named_installed_module(name)
            c[name] += count
            if origin is Origin.OWN:
                own[f"{place_of(calling)} → {name}"] += count
        return CallCounts(
            python=dict(python),
            c=dict(c),
            own=dict(own),
            loop_iterations=iterations,
            tasks=tasks,
            blocks_kept=self._blocks_kept,
            modules=frozenset(modules),
        )


class _Counts:
    """Raw counts. The hooks that write them run at each call, and are written for speed.

    Keys are made of identities: a code object's hash is computed anew each time, from all that
    it holds. ``+= 1`` on such a key is one step for other threads.

    Attributes:
        is_open: Whether to count.
        python: Calls by (caller's code, code).
        python_codes: Those two for each key; keeps them alive, so that identities stay unique.
        c: Calls by (code, offset of the instruction that calls).
        c_names: The code, and the name of what was called there first.
    """

    __slots__ = ("c", "c_names", "is_open", "python", "python_codes")

    def __init__(self) -> None:
        self.is_open = False
        self.python: dict[tuple[int, int], int] = {}
        self.python_codes: dict[tuple[int, int], tuple[CodeType | None, CodeType]] = {}
        self.c: dict[tuple[int, int], int] = {}
        self.c_names: dict[tuple[int, int], tuple[CodeType, str | None]] = {}

    def note_python_call(self, frame: FrameType) -> None:
        """A frame is entered."""
        code, back = frame.f_code, frame.f_back
        key = (0 if back is None else id(back.f_code), id(code))
        try:
            self.python[key] += 1
        except KeyError:
            self.python_codes[key] = (None if back is None else back.f_code, code)
            # Another thread may have come in between, and counted on.
            self.python.setdefault(key, 0)
            self.python[key] += 1

    def note_c_call(self, code: CodeType, offset: int, function: object) -> None:
        """A C function is called by an instruction of a code."""
        key = (id(code), offset)
        try:
            self.c[key] += 1
        except KeyError:
            self.c_names.setdefault(key, (code, _name_of(function)))
            self.c.setdefault(key, 0)
            self.c[key] += 1


_HAS_MONITORING = sys.version_info >= (3, 12)


@contextmanager
def _profiled_by_setprofile(counts: _Counts) -> Iterator[Callable[[bool], None]]:
    """Hook into threads that start in this scope; yield what switches the caller's own hook."""
    if sys.getprofile() is not None or threading.getprofile() is not None:
        raise _other_profiler()

    def hook(frame: FrameType, event: str, argument: object) -> None:
        if counts.is_open:
            if event == "call":
                counts.note_python_call(frame)
            elif event == "c_call":
                counts.note_c_call(frame.f_code, frame.f_lasti, argument)

    threading.setprofile(hook)
    try:
        # Setting an agent up takes more calls than many sessions: not even looked at.
        yield lambda on: sys.setprofile(hook if on else None)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@contextmanager
def _profiled_by_monitoring(counts: _Counts) -> Iterator[Callable[[bool], None]]:
    """Register callbacks; yield what switches their events, in all threads.

    Those that are alive already are none of the trial's: who looks after its root, or the one by
    which a test runner gets its tests, if the trial is run in its process.
    """
    monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - from Python 3.12 on
    others = frames_by_thread().keys() - {_thread.get_ident()}
    tool, events = monitoring.PROFILER_ID, monitoring.events
    if monitoring.get_tool(tool) is not None:
        raise _other_profiler()

    def entered(_code: CodeType, _offset: int, *_rest: object) -> None:
        if counts.is_open and _thread.get_ident() not in others:
            counts.note_python_call(sys._getframe(1))

    def called_c(code: CodeType, offset: int, function: object, _argument: object) -> None:
        if counts.is_open and _thread.get_ident() not in others:
            counts.note_c_call(code, offset, function)

    def called(*_arguments: object) -> None:
        """Do nothing; without this event there are none of C calls."""

    callbacks = {
        events.PY_START: entered,
        events.PY_RESUME: entered,
        events.PY_THROW: entered,
        events.CALL: called,
        events.C_RETURN: called_c,
        events.C_RAISE: called_c,
    }
    counted = events.PY_START | events.PY_RESUME | events.PY_THROW | events.CALL
    monitoring.use_tool_id(tool, _TOOL)
    try:
        for event, callback in callbacks.items():
            monitoring.register_callback(tool, event, callback)
        yield lambda on: monitoring.set_events(tool, counted if on else events.NO_EVENTS)
    finally:
        monitoring.set_events(tool, events.NO_EVENTS)
        monitoring.free_tool_id(tool)


def _tidies_up(code: CodeType) -> bool:
    return code.co_filename == threading.__file__ and code.co_qualname.startswith(_TIDIES_UP)


def _other_profiler() -> TrialError:
    return TrialError(
        "calls cannot be counted: another profiler is active in the trial's process; run without it"
    )


def _name_of(function: object) -> str | None:
    """Name a C function by its class or module: ``list.copy``, ``math.floor``, ``len``.

    An object that is called may have any attributes: one by that name need be no text.

    Python 3.12 takes the ``__exit__`` that a ``with`` calls for one of C, also if it is a method of
    Python's, whose frame is counted besides: the lab's own has no name.
    """
    code = getattr(getattr(function, "__func__", None), "__code__", None)
    if isinstance(code, CodeType) and origin_of(code.co_filename) is Origin.LAB:
        return None
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str) or not name:
        name = type(function).__qualname__
    module = getattr(function, "__module__", None)
    own = isinstance(module, str) and module != "builtins" and "." not in name
    return f"{module}.{name}" if own else name
