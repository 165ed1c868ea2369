"""Shares of sessions' time by the place of their own code."""

from dataclasses import replace

import pytest
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.records import CellResult, LatencySummary, SessionCounts
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.statistics.own_waits import UNKNOWN, counts_at, overlap, shares_of_places

from ...built import cell_result

pytestmark = pytest.mark.once

LOCK = OwnWait(place="a.py:f:1", awaits="Lock", seen_s=9.0, waits=30, sessions=10, lost_s=2.0)
SLEEP = OwnWait(place="a.py:g:2", awaits="sleep", seen_s=3.0, waits=10, sessions=10, lost_s=1.0)


def cell(*waits: OwnWait) -> CellResult:
    return cell_result(
        own_waits=waits,
        sessions=SessionCounts(started=10, succeeded=10),
        time_parts_s=TimeParts(llm=0.6, remainder=0.4),
    )


def test_each_place_has_its_share_and_the_rest_has_none() -> None:
    assert shares_of_places(cell(LOCK, SLEEP), 0.4) == {
        ("a.py:f:1", "Lock"): pytest.approx(0.2),
        ("a.py:g:2", "sleep"): pytest.approx(0.1),
        UNKNOWN: pytest.approx(0.1),
    }
    assert shares_of_places(cell(), 0.4) == {UNKNOWN: 0.4}


def test_what_blocks_a_loop_is_left_to_another_warning() -> None:
    blocking = OwnWait(place="a", awaits="b", seen_s=4, waits=1, lost_s=4.0, blocks_loop=True)
    assert shares_of_places(cell(blocking), 0.4) == {UNKNOWN: 0}


def test_looks_taken_now_and_then_divide_all_of_it() -> None:
    seen = [
        OwnWait(place=place, awaits="", seen_s=seen_s) for place, seen_s in (("a", 3), ("b", 1))
    ]
    assert shares_of_places(cell(*seen), 0.4) == {
        ("a", ""): pytest.approx(0.3),
        ("b", ""): pytest.approx(0.1),
    }


def test_counts_are_known_where_each_wait_was_noted() -> None:
    assert counts_at(cell(LOCK), "a.py:f:1", "Lock") == {"waits_per_session": 3.0, "mean_s": 0.3}
    assert counts_at(cell(LOCK), "a.py:g:2", "Lock") == {}
    assert counts_at(cell(OwnWait(place="a", awaits="b", seen_s=1)), "a", "b") == {}


def test_waits_that_are_longer_together_than_any_session_overlap() -> None:
    # Each of ten sessions waited 0.9 s at the lock.
    assert overlap(replace(cell(LOCK), latency_s=LatencySummary(max=0.8)), LOCK)
    assert not overlap(replace(cell(LOCK), latency_s=LatencySummary(max=0.9)), LOCK)
    assert not overlap(cell(LOCK), LOCK)
    seen = OwnWait(place="a", awaits="b", seen_s=9.0)
    assert not overlap(replace(cell(seen), latency_s=LatencySummary(max=0.1)), seen)
