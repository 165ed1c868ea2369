"""Profiles of strategies that share a thread with others of the fast suite."""

import pytest

from ....bench.trial.test_profiling import Profiled, check_computing, profiled

__all__ = ["profiled"]


@pytest.mark.parametrize(
    ("factory", "strategy"),
    [("build", "taskgroup"), ("build", "workers"), ("build_sync", "blocking")],
)
def test_what_sessions_compute_is_seen_on_every_thread(
    profiled: Profiled, factory: str, strategy: str
) -> None:
    check_computing(profiled(factory, strategy))
