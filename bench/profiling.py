"""Profiles a cell with pyinstrument: where its sessions' computing goes.

pyinstrument follows the thread and the async context that it was started in. So one profiler
follows the thread that drives the cell (with a loop, all its tasks), and each session that runs on
another thread has one of its own; their samples are put together. What an async session hands to a
pool of threads is not followed. Samples of a thread that only waits at the lab's clock are left
out: in ``warp`` such waits are not there.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce, wraps
from pathlib import Path
from typing import cast

from pyinstrument import Profiler
from pyinstrument.session import Session

from .origins import Origin, name_of_file, origin_of
from .record import Cell
from .strategies.protocol import SyncSession
from .target import Lab, Target, build_target, load_factory
from .trial import NotApplicable, TrialSpec, prepared_here

_INTERVAL_S = 0.0005
_CLOCK = str(Path(__file__).resolve().parent.parent / "mocks" / "clock")
_TRIAL = str(Path(__file__).resolve().parent / "trial.py")
_LAB_PACKAGE = "warpbench (mocks and harness)"
_STANDARD = "the standard library"


@dataclass(frozen=True, slots=True)
class Profile:
    """What was seen of one cell.

    Attributes:
        cell: The cell.
        session: Its samples, as pyinstrument has them.
    """

    cell: Cell
    session: Session

    @property
    def total_s(self) -> float:
        """Seconds of computing that the samples stand for, over all threads."""
        return sum(length_s for _, length_s in self.session.frame_records)

    def by_package(self) -> Mapping[str, float]:
        """Return seconds by whose code it was that ran, the greatest first."""
        return self._spent(lambda file, _: _package_of(file))

    def by_function(self) -> Mapping[str, float]:
        """Return seconds by function, without the Python code it called, the greatest first."""
        return self._spent(lambda file, function: f"{name_of_file(file)}:{function}")

    def _spent(self, what: Callable[[str, str], str]) -> Mapping[str, float]:
        spent: defaultdict[str, float] = defaultdict(float)
        for stack, length_s in self.session.frame_records:
            function, file = _innermost(stack)
            spent[what(file, function)] += length_s
        return dict(sorted(spent.items(), key=lambda item: item[1], reverse=True))


def profile_cell(spec: TrialSpec) -> Profile | NotApplicable:
    """Run a cell in this process, its warm-up first, and the rest under the profiler.

    Raises:
        TargetError: The target cannot be used.
        ClockError: Time could not be kept truthfully.
    """
    others = _OtherThreads()
    with prepared_here(spec, others.following(spec.cell.target)) as measure:
        if isinstance(measure, NotApplicable):
            return measure
        profiler = Profiler(interval=_INTERVAL_S, async_mode="enabled")
        others.is_profiling = True
        with profiler:
            measure()
        others.is_profiling = False
    own = cast("Session", profiler.last_session)
    return Profile(spec.cell, _of_sessions_alone(reduce(Session.combine, others.sessions, own)))


class _OtherThreads:
    """Profiles sessions that run on other threads than the one that drives them.

    Attributes:
        is_profiling: Whether to do so now.
        sessions: What was seen.
    """

    def __init__(self) -> None:
        self.is_profiling = False
        self.sessions: list[Session] = []
        # Python refuses to install a profile function while another thread does.
        self._installing = threading.Lock()

    def following(self, name: str) -> Callable[..., Target]:
        """Return a factory of the target whose plain sessions are followed."""
        _, takes_lab = load_factory(name)

        def followed(lab: Lab | None) -> Target:
            target = build_target(name, cast("Lab", lab))
            if target.sync_session is None:
                return target
            return replace(target, sync_session=self._profiled(target.sync_session))

        def with_lab(lab: Lab) -> Target:
            return followed(lab)

        def without_lab() -> Target:
            return followed(None)

        return with_lab if takes_lab else without_lab

    def _profiled(self, session: SyncSession) -> SyncSession:
        @wraps(session)
        def profiled(task: str) -> str:
            if not self.is_profiling or threading.current_thread() is threading.main_thread():
                return session(task)
            profiler = Profiler(interval=_INTERVAL_S, async_mode="disabled")
            with self._installing:
                profiler.start()
            try:
                return session(task)
            finally:
                with self._installing:
                    self.sessions.append(profiler.stop())

        return profiled


def _of_sessions_alone(session: Session) -> Session:
    records = [
        (stack, length_s)
        for stack, length_s in session.frame_records
        if stack and not _is_parked(stack) and not _is_tidying_up(stack)
    ]
    session.frame_records[:] = records
    session.duration = sum(length_s for _, length_s in records)
    session.sample_count = len(records)
    return session


def _is_parked(stack: Sequence[str]) -> bool:
    """Whether a thread waits at the clock: but for a lock, its innermost code is the clock's."""
    if "lock.acquire" not in stack[-1].partition("\x00")[0]:
        return False
    callers = (file for _, file in _from_within(stack) if Path(file).name != "threading.py")
    return next(callers, "").startswith(_CLOCK)


def _is_tidying_up(stack: Sequence[str]) -> bool:
    """Whether the trial collects garbage before it measures."""
    # What it calls there in C is its own; all else that it calls has frames of its own.
    return _innermost(stack) == ("_measure", _TRIAL)


def _innermost(stack: Sequence[str]) -> tuple[str, str]:
    """Return function and file of the innermost Python code."""
    return next(_from_within(stack), ("", ""))


def _from_within(stack: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield function and file of each frame in Python code, the innermost first."""
    for frame in reversed(stack):
        # What it knows besides follows: the first line, the current one, the class.
        function, file, *_ = (*frame.split("\x00"), "", "")
        if not file.startswith("<"):
            yield function, file


def _package_of(file: str) -> str:
    origin = origin_of(file)
    if origin is Origin.LAB:
        return _LAB_PACKAGE
    if origin is Origin.PACKAGE:
        return name_of_file(file).partition("/")[0]
    return _STANDARD if origin is Origin.STANDARD else name_of_file(file)
