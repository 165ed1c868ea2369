"""Who is watched, and from when on nobody is any more."""

import threading

import pytest
from warpbench.bench.targets.loading import Target
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.mocks.errors import ClockError
from warpbench.mocks.observe.session import SESSION


def waits_for_ever() -> Target:
    def session(task: str) -> str:
        threading.Event().wait()
        return task

    return Target(sync_session=session)


def is_interrupted() -> Target:
    def session(task: str) -> str:
        raise KeyboardInterrupt

    return Target(sync_session=session)


def test_where_a_session_is_interrupted_the_code_behind_is_no_sessions() -> None:
    spec = spec_of(is_interrupted, scenario="chat", strategy="sync", sessions=1)

    with pytest.raises(KeyboardInterrupt):
        run_cell(spec, is_interrupted)

    assert SESSION.get() is None


def test_where_the_clock_has_failed_the_code_behind_is_no_sessions() -> None:
    spec = spec_of(waits_for_ever, scenario="chat", strategy="sync", sessions=1)

    with pytest.raises(ClockError):
        run_cell(spec, waits_for_ever)

    assert SESSION.get() is None
