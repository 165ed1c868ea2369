"""What the model's server lets through."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.model.rate_limits import NOBODY_ASKED, Capacity, CapacityState
from warpbench.mocks.scenario import ModelLimits

pytestmark = pytest.mark.once

S = 1_000_000_000


def test_requests_beyond_the_limit_are_refused_until_there_is_room() -> None:
    capacity = Capacity(ModelLimits(requests_per_minute=2))

    first, second, third = (capacity.admit(0, tokens=1, service_ns=S) for _ in range(3))

    assert [first.retry_after_ns, second.retry_after_ns] == [None, None]
    assert third.retry_after_ns == 30 * S
    assert capacity.admit(30 * S - 1, 1, S).retry_after_ns == 1
    assert capacity.admit(30 * S, 1, S).retry_after_ns is None


def test_what_is_left_is_told() -> None:
    capacity = Capacity(ModelLimits(requests_per_minute=60, tokens_per_minute=6000))

    left = capacity.admit(0, tokens=1500, service_ns=S).allowances

    assert left.requests is not None
    assert left.tokens is not None
    assert (left.requests.limit, left.requests.remaining, left.requests.reset_s) == (60, 59, 1)
    assert (left.tokens.limit, left.tokens.remaining, left.tokens.reset_s) == (6000, 4500, 15)


def test_a_request_above_a_minutes_worth_waits_for_a_full_bucket() -> None:
    capacity = Capacity(ModelLimits(tokens_per_minute=100))

    assert capacity.admit(0, tokens=500, service_ns=S).retry_after_ns is None
    assert capacity.admit(0, tokens=500, service_ns=S).retry_after_ns == 60 * S


def test_requests_queue_for_a_server_that_is_free_first_come_first_served() -> None:
    capacity = Capacity(ModelLimits(concurrency=2))

    queued_s = [capacity.admit(0, 1, service_ns).queued_ns / S for service_ns in (3 * S, S, S, S)]

    assert queued_s == [0, 0, 1, 2]
    assert capacity.admit(10 * S, 1, S).queued_ns == 0


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 10 * S), st.integers(1, 50)), max_size=60),
)
def test_no_span_of_time_passes_more_tokens_than_its_share_and_a_full_bucket(
    limit: int, arrivals: list[tuple[int, int]]
) -> None:
    capacity = Capacity(ModelLimits(tokens_per_minute=limit))
    passed: list[tuple[int, int]] = []
    now_ns = 0
    for wait_ns, tokens in arrivals:
        now_ns += wait_ns
        if capacity.admit(now_ns, min(tokens, limit), S).retry_after_ns is None:
            passed.append((now_ns, min(tokens, limit)))

    for index, (begin_ns, _) in enumerate(passed):
        for end in range(index, len(passed)):
            tokens = sum(taken for _, taken in passed[index : end + 1])
            span_ns = passed[end][0] - begin_ns
            assert tokens <= limit + Fraction(limit * span_ns, 60 * S)


@given(
    st.builds(
        ModelLimits,
        st.none() | st.integers(1, 20),
        st.none() | st.integers(1, 100),
        st.none() | st.integers(1, 3),
    ),
    st.lists(st.tuples(st.integers(0, 5 * S), st.integers(1, 150)), max_size=40),
)
def test_one_that_begins_with_the_state_of_another_goes_on_as_that_would(
    limits: ModelLimits, arrivals: list[tuple[int, int]]
) -> None:
    whole, text, now_ns = Capacity(limits), msgspec.json.encode(NOBODY_ASKED), 0
    for wait_ns, tokens in arrivals:
        now_ns += wait_ns
        another = Capacity(limits, msgspec.json.decode(text, type=CapacityState))

        assert another.admit(now_ns, tokens, S) == whole.admit(now_ns, tokens, S)

        text = msgspec.json.encode(another.state())


@given(st.integers(1, 5), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=40))
def test_never_more_are_served_at_one_time_than_there_are_servers(
    servers: int, arrivals: list[tuple[int, int]]
) -> None:
    capacity = Capacity(ModelLimits(concurrency=servers))
    now = 0
    spans = []
    for wait, service in arrivals:
        now += wait
        begin = now + capacity.admit(now, 1, service).queued_ns
        spans.append((begin, begin + service))

    for begin, _ in spans:
        assert sum(start <= begin < end for start, end in spans) <= servers
    assert [begin for begin, _ in spans] == sorted(begin for begin, _ in spans)
