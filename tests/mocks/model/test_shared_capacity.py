"""Limits of one server that several processes ask in real time."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from warpbench.mocks.clock.real_time import real_monotonic_ns
from warpbench.mocks.model import shared_capacity
from warpbench.mocks.model.shared_capacity import SharedCapacity, begin_shared
from warpbench.mocks.scenario import ModelLimits

pytestmark = pytest.mark.once

S = 1_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "state.json"
    begin_shared(file)
    return file


@pytest.fixture
def now_ns(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the machine's time be what the test says."""

    def be(now: int) -> None:
        monkeypatch.setattr(shared_capacity, "real_monotonic_ns", lambda: now)

    return be


def test_what_one_takes_the_other_lacks(file: Path, now_ns: Callable[[int], None]) -> None:
    limits = ModelLimits(requests_per_minute=2, tokens_per_minute=600)
    one, other = SharedCapacity(limits, file), SharedCapacity(limits, file)
    now_ns(7 * S)

    assert one.admit(0, 100, S).retry_after_ns is None
    assert other.admit(5 * S, 200, S).retry_after_ns is None
    refused = one.admit(9 * S, 1, S)

    assert refused.retry_after_ns == 30 * S
    assert refused.allowances.tokens is not None
    assert refused.allowances.tokens.remaining == 300
    now_ns(37 * S)
    assert other.admit(0, 1, S).retry_after_ns is None


def test_they_queue_for_the_same_servers(file: Path, now_ns: Callable[[int], None]) -> None:
    one, other = (SharedCapacity(ModelLimits(concurrency=2), file) for _ in range(2))
    now_ns(0)

    queued_s = [each.admit(0, 1, 3 * S).queued_ns / S for each in (one, other, one, other, one)]

    assert queued_s == [0, 0, 3, 3, 6]


def test_it_begins_anew_for_all_of_them(file: Path, now_ns: Callable[[int], None]) -> None:
    one, other = (SharedCapacity(ModelLimits(requests_per_minute=1), file) for _ in range(2))
    now_ns(0)
    one.admit(0, 1, S)
    assert other.admit(0, 1, S).retry_after_ns is not None

    begin_shared(file)

    assert other.admit(0, 1, S).retry_after_ns is None
    assert one.admit(0, 1, S).retry_after_ns is not None


def test_requests_that_come_at_one_time_are_admitted_one_after_the_other(file: Path) -> None:
    limits = ModelLimits(requests_per_minute=50)
    together = threading.Barrier(8)

    def ask(_: int) -> Counter[bool]:
        capacity = SharedCapacity(limits, file)  # as another process has it: a file of its own
        together.wait()
        return Counter(capacity.admit(0, 1, S).retry_after_ns is None for _ in range(25))

    began_ns = real_monotonic_ns()
    with ThreadPoolExecutor(8) as pool:
        found = sum(pool.map(ask, range(8)), Counter[bool]())
    flown = (real_monotonic_ns() - began_ns) * 50 // (60 * S)

    assert found.total() == 200
    assert 50 <= found[True] <= 50 + flown + 1
