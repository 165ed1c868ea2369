"""Watches the import of a target: would forks of this process be what a trial of its own is?

A trial that is forked after the import has the modules as the import left them, and nothing else of
it. Threads are not forked; files, sockets and timers would be those of all forks; what an import
writes, asks or draws would be written, asked or drawn once in place of each time. So whatever is of
that kind is noted here, in words, and the first of it says why a target is not to be forked.

Looked at are the process before and after (``outside``, ``inside``), the interpreter's audit events
and a few functions that leave no trace (``watching``), and, once the scopes are left in which the
import was made, whether something still holds one of their replacements (``Replacements``): it
would be bound to the world of the import, and not to that of the trial.

Not seen are reads of what differs from process to process in any case (its number, entropy), of the
contents of folders, and what code below Python does (threads and open files of it are seen).
"""

import asyncio
import functools
import gc
import multiprocessing.util
import os
import queue
import random
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from ...mocks.clock.patching import patched
from ...mocks.clock.scope import HOLD_THE_CLOCK_ALONE
from ..instruments.code_origin import Origin, origin_of
from .trial import PlaceOfImport

_OWN = Path("/proc/self")
_PYCACHE = re.compile(r"[/\\]__pycache__(?:[/\\][^/\\]*)?$|\.pyc\.\d+$")
_CODE = (".py", ".pyc", ".so")
_OF_THE_SYSTEM = ("/dev/", "/proc/", "/sys/")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_ENDS_WITHIN_S = 1.0
_LOOKS_EVERY_S = 0.001

_STARTS_A_PROCESS = "it starts a process"
_STARTS_A_THREAD = "it starts a thread"
_ASKS_THE_NETWORK = "it asks the network"
_CHANGES_FILES = "it changes files"
_EVENTS: Mapping[str, str] = {
    "_thread.start_new_thread": _STARTS_A_THREAD,
    "_thread.start_joinable_thread": _STARTS_A_THREAD,
    **dict.fromkeys(
        (
            "os.exec",
            "os.fork",
            "os.forkpty",
            "os.posix_spawn",
            "os.spawn",
            "os.system",
            "pty.spawn",
            "subprocess.Popen",
        ),
        _STARTS_A_PROCESS,
    ),
    **dict.fromkeys(
        (
            "socket.connect",
            "socket.getaddrinfo",
            "socket.gethostbyaddr",
            "socket.gethostbyname",
            "socket.sendmsg",
            "socket.sendto",
        ),
        _ASKS_THE_NETWORK,
    ),
    **dict.fromkeys(
        (
            "os.link",
            "os.mkdir",
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.symlink",
            "os.truncate",
            "tempfile.mkdtemp",
            "tempfile.mkstemp",
        ),
        _CHANGES_FILES,
    ),
    "mmap.__new__": "it maps memory, which forks may share",
    "sqlite3.connect": "it opens a database",
}

_REPLACED_BY_PATCHERS: tuple[ModuleType, ...] = (
    asyncio,
    asyncio.events,
    os,
    queue,
    random,
    subprocess,
    threading,
    time,
)
"""Modules that a trial replaces names of, and that other packages replace names of, too."""


class FileRead:
    """A file that an import has read, as it was then.

    Attributes:
        path: Its path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._before = _state_of_file(path)

    def has_changed(self) -> bool:
        """Say whether it is another one now."""
        return _state_of_file(self.path) != self._before


class ImportWatch:
    """Notes what an import does that a fork would not have, or not for itself.

    Attributes:
        reasons: In words, in the order in which it was noted.
        at_fork: What was to be registered with ``os.register_at_fork``, and was not: the forks that
            trials are made by are none of the target's.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.at_fork: list[Mapping[str, Callable[[], object]]] = []
        self._read: dict[str, FileRead] = {}
        self._is_on = False
        sys.addaudithook(self._note_event)

    @property
    def files(self) -> tuple[FileRead, ...]:
        """The files that were read, other than code."""
        return tuple(self._read.values())

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Watch the process itself; the import's scopes are entered and left in this one."""
        before = _state_of_process()
        yield
        self._compare(before, _state_of_process())
        if not _is_single_threaded():
            self.reasons.append(_STARTS_A_THREAD)

    @contextmanager
    def inside(self, place: PlaceOfImport) -> Iterator[None]:
        """Watch what the import's scopes would put back when they are left.

        Args:
            place: Where the import is made.
        """
        names = _names_of(_REPLACED_BY_PATCHERS)
        before = _state_of_interpreter(place)
        yield
        self._compare(before, _state_of_interpreter(place))
        now = _names_of(_REPLACED_BY_PATCHERS)
        self.reasons += [
            f"it replaces {called}"
            for key, (called, value) in names.items()
            if now.get(key, (called, None))[1] is not value
        ]
        seen = place.world.seen()
        if seen.http_requests or seen.refusals:
            self.reasons.append(_ASKS_THE_NETWORK)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what happens in this scope."""

        def noting(reason: str, real: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(real)
            def call(*args: Any, **kwargs: Any) -> Any:
                self.reasons.append(reason)
                return real(*args, **kwargs)

            return call

        def register_at_fork(**hooks: Callable[[], object]) -> None:
            self.at_fork.append(hooks)

        watched: list[tuple[Any, str, str]] = [
            # No audit event tells of it before Python 3.12.
            (threading.Thread, "start", _STARTS_A_THREAD),
            (asyncio.Queue, "put_nowait", _PUTS),
            (queue.Queue, "_put", _PUTS),
            (queue.LifoQueue, "_put", _PUTS),
            (queue.PriorityQueue, "_put", _PUTS),
        ]
        replaced: list[tuple[Any, str, Callable[..., Any]]] = [
            (os, "register_at_fork", register_at_fork),
            *((owner, name, noting(why, getattr(owner, name))) for owner, name, why in watched),
        ]
        with ExitStack() as scope:
            for owner, name, replacement in replaced:
                scope.enter_context(patched(owner, name, replacement))
            self._is_on = True
            try:
                yield
            finally:
                self._is_on = False
            self.reasons += [
                f"it replaces {owner.__name__}.{name}"
                for owner, name, replacement in replaced
                if vars(owner).get(name) is not replacement
            ]

    def _compare(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        self.reasons += [reason for reason, state in before.items() if after[reason] != state]

    def _note_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event == "open":
            self._note_opened(*arguments)
            return
        reason = _EVENTS.get(event)
        if reason is _CHANGES_FILES:
            path = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else ""
            if _PYCACHE.search(path) is None:
                self.reasons.append(f"{reason}: {path}".removesuffix(": "))
        elif reason is not None:
            self.reasons.append(reason)

    def _note_opened(self, file: object, mode: object, flags: int) -> None:
        if not isinstance(file, str | bytes):
            return
        path = os.fsdecode(file)
        if path.startswith(_OF_THE_SYSTEM) or _PYCACHE.search(path) is not None:
            return
        if flags & _WRITES or (isinstance(mode, str) and set(mode) & set("wxa+")):
            self.reasons.append(f"{_CHANGES_FILES}: {path}")
        elif not path.endswith(_CODE):
            self._read.setdefault(path, FileRead(path))


_PUTS = "it puts something into a queue"


class Replacements:
    """What the lab has put in the place of others' functions and classes, at one moment."""

    def __init__(self) -> None:
        self._found = {
            (id(owner), name): (called, weakref.ref(value))
            for owner, name, called, value in _made_by_the_lab()
        }

    def changed_since(self) -> Iterator[str]:
        """Yield the names that have got something else since."""
        now = Replacements()._found
        for key, (called, refers) in self._found.items():
            if key not in now or now[key][1] is not refers:  # one object has one such reference
                yield called

    def still_held(self) -> Iterator[str]:
        """Yield the names that have got their own back, and whose replacement lives all the same.

        Those that hold nothing but the clock, which the trials have as well, are left out.
        """
        gc.collect()
        now = Replacements()._found
        for key, (called, refers) in self._found.items():
            is_in_force = key in now and now[key][1] is refers
            if not is_in_force and refers() is not None and called not in HOLD_THE_CLOCK_ALONE:
                yield called


def _made_by_the_lab() -> Iterator[tuple[object, str, str, Any]]:
    """Yield what the lab has made for one scope, and where it stands in modules of others.

    Functions and classes that are variables of the lab's own modules are the same in each scope.
    """
    for module in list(sys.modules.values()):
        if not issubclass(type(module), ModuleType) or _is_of_the_lab(module):
            continue
        for owner in _owners_in(module):
            for name, value in list(vars(owner).items()):
                if _is_made_for_a_scope(value):
                    yield owner, name, f"{getattr(owner, '__name__', '')}.{name}", value


def _owners_in(module: ModuleType) -> Iterator[Any]:
    """Yield a module, and the classes that are variables of it."""
    yield module
    # To ask a stand-in for something else for its class may import that.
    yield from (each for each in list(vars(module).values()) if issubclass(type(each), type))


def _is_made_for_a_scope(value: Any) -> bool:
    if type(value) is FunctionType:
        return value.__closure__ is not None and origin_of(value.__code__.co_filename) is Origin.LAB
    if not issubclass(type(value), type):
        return False
    return "<locals>" in value.__qualname__ and str(value.__module__).startswith(_LAB)


_LAB = f"{__name__.partition('.')[0]}."


def _is_of_the_lab(module: ModuleType) -> bool:
    return module.__name__.startswith(_LAB)


def _names_of(modules: tuple[ModuleType, ...]) -> dict[tuple[int, str], tuple[str, object]]:
    """Return the variables of modules, and the attributes of their classes, by owner and name."""
    return {
        (id(owner), name): (f"{getattr(owner, '__name__', '')}.{name}", value)
        for module in modules
        for owner in _owners_in(module)
        for name, value in list(vars(owner).items())
        if not name.startswith("__")
    }


def _state_of_process() -> dict[str, object]:
    of_multiprocessing: Any = multiprocessing.util
    return {
        "it keeps a file, a pipe or a socket open": sorted(os.listdir(_OWN / "fd")),  # noqa: PTH208 - numbers
        "it sets a timer": tuple(
            signal.getitimer(which)[0] > 0
            for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
        ),
        "it shares a lock of multiprocessing": (
            len(of_multiprocessing._afterfork_registry),
            len(of_multiprocessing._finalizer_registry),
        ),
        _STARTS_A_PROCESS: _has_children(),
    }


def _state_of_interpreter(place: PlaceOfImport) -> dict[str, object]:
    policy: Any = getattr(asyncio.events, "_event_loop_policy", None)
    local = getattr(policy, "_local", SimpleNamespace())
    return {
        "it handles signals": tuple(map(signal.getsignal, sorted(signal.valid_signals()))),
        "it draws from random": random.getstate(),
        "it waits, or lets time pass": (place.clock.now_ns(), place.clock.hand_overs),
        "it sets an event loop": (id(policy), tuple(map(id, vars(local).values()))),
    }


def _state_of_file(path: str) -> tuple[int, int, int] | None:
    try:
        state = os.stat(path)  # noqa: PTH116 - it may be no path of this system
    except (OSError, ValueError):
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _is_single_threaded() -> bool:
    """Say whether this process has one thread: those that have ended may take a moment."""
    until_s = time.monotonic() + _ENDS_WITHIN_S
    while len(list((_OWN / "task").iterdir())) > 1:
        if time.monotonic() > until_s:
            return False
        time.sleep(_LOOKS_EVERY_S)
    return True


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
