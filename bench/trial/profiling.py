"""Profiles a cell with pyinstrument: where its sessions' computing goes.

pyinstrument follows the thread and the async context that it was started in. So one profiler
follows the thread that drives the cell (with a loop, all its tasks), and what is handed to a pool
of threads, a session or a tool, has one of its own; their samples are put together. Threads that a
target starts by itself are not followed. Samples of a thread that only waits at the lab's clock are
left out: in ``warp`` such waits are not there.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar, cast
from unittest.mock import patch

from pyinstrument import Profiler
from pyinstrument.session import Session

from ..instruments.code_origin import Origin, name_of_file, origin_of
from ..results.profile import Profile
from .spec import NotApplicable, TrialSpec
from .trial import prepared_here

_INTERVAL_S = 0.0005
_CLOCK = str(Path(__file__).resolve().parents[2] / "mocks" / "clock")
_TRIAL = str(Path(__file__).resolve().parent / "trial.py")
_LAB_PACKAGE = "warpbench (mocks and harness)"
_STANDARD = "the standard library"

P = ParamSpec("P")
T = TypeVar("T")


def profile_cell(spec: TrialSpec) -> Profile | NotApplicable:
    """Run a cell in this process, its warm-up first, and the rest under the profiler.

    Raises:
        TargetError: The target cannot be used.
        ClockError: Time could not be kept truthfully.
    """
    pools = _Pools()
    profiler = Profiler(interval=_INTERVAL_S, async_mode="enabled")

    @contextmanager
    def profiling() -> Iterator[None]:
        with pools.followed(), profiler:
            yield

    with prepared_here(spec, spec.cell.target, profiling) as measure:
        if isinstance(measure, NotApplicable):
            return measure
        measure()
    own = cast("Session", profiler.last_session)
    session = _of_sessions_alone(reduce(Session.combine, pools.sessions, own))
    return Profile(
        cell=spec.cell,
        session=session,
        total_s=sum(length_s for _, length_s in session.frame_records),
        by_package=_spent_s(session, lambda file, _: _package_of(file)),
        by_function=_spent_s(session, lambda file, function: f"{name_of_file(file)}:{function}"),
    )


def _spent_s(session: Session, what: Callable[[str, str], str]) -> Mapping[str, float]:
    """Return seconds by what the innermost code of each sample was, the greatest first."""
    spent_s: defaultdict[str, float] = defaultdict(float)
    for stack, length_s in session.frame_records:
        function, file = _innermost(stack)
        spent_s[what(file, function)] += length_s
    return dict(sorted(spent_s.items(), key=lambda item: item[1], reverse=True))


class _Pools:
    """Profiles what pools of threads are handed.

    Attributes:
        sessions: What was seen.
    """

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        # Python refuses to install a profile function while another thread does.
        self._installing = threading.Lock()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow what is handed to a pool in this scope."""
        submit = ThreadPoolExecutor.submit

        def submit_followed(
            pool: ThreadPoolExecutor,
            function: Callable[P, T],
            /,
            *args: P.args,
            **kwargs: P.kwargs,
        ) -> "Future[T]":
            return submit(pool, self._profiled(function), *args, **kwargs)

        with patch.object(ThreadPoolExecutor, "submit", submit_followed):
            yield

    def _profiled(self, function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def profiled(*args: P.args, **kwargs: P.kwargs) -> T:
            profiler = Profiler(interval=_INTERVAL_S, async_mode="disabled")
            with self._installing:
                profiler.start()
            try:
                return function(*args, **kwargs)
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
