"""Numbers: from one follows whose it is, and what is played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.scenario.model import MAX_CONVERSATIONS
from warpbench.mocks.workload.numbers import (
    SHARED,
    conversation_number,
    kind_of,
    nested_number,
    session_of,
)
from warpbench.mocks.workload.script import draw
from warpbench.mocks.workload.scripts import Scripts

pytestmark = pytest.mark.once

SESSIONS = st.integers(-2, 999_998) | st.just(SHARED)
DIGESTS = st.integers(0, 2**32 - 1)


@given(session=SESSIONS, kind=st.integers(0, MAX_CONVERSATIONS), digest=DIGESTS)
def test_a_conversation_belongs_to_its_session(session: int, kind: int, digest: int) -> None:
    number = conversation_number(session, kind, digest)

    assert (session_of(number), kind_of(number)) == (session, kind)
    assert abs(number) < 2**62


@given(session=SESSIONS, nested=st.integers(1, 999_999))
def test_so_does_a_nested_session_which_is_no_conversation(session: int, nested: int) -> None:
    assert session_of(nested_number(session, nested)) == session
    assert kind_of(nested_number(session, nested)) is None


KINDS = parse_scenario("""
    name = "kinds"
    description = "Two kinds."
    sessions = 2
    [model]
    latency_s = { uniform = { low = 1.0, high = 2.0 } }
    [[rounds]]
    [[conversations]]
    name = "judge"
    system = "*judge*"
    latency_s = { uniform = { low = 0.1, high = 0.2 } }
    text = "safe"
""")


@given(session=st.integers(0, 1), kind=st.integers(0, 1), digest=DIGESTS)
def test_what_is_played_follows_from_the_number_alone(session: int, kind: int, digest: int) -> None:
    number = conversation_number(session, kind, digest)
    here, there = (
        Scripts({each.session: each for each in draw(KINDS, 7).sessions}, KINDS, 7)[number]
        for _ in range(2)
    )

    (call,) = here.model_calls
    low_s, high_s = ((1, 2), (0.1, 0.2))[kind]
    assert here == there
    assert low_s <= call.latency_ns / 1e9 <= high_s
    assert here.text == (None, "safe")[kind]


def test_a_warm_up_takes_no_time_and_what_is_shared_does() -> None:
    scripts = Scripts({-1: draw(KINDS, 7).sessions[0]}, KINDS, 7)

    assert scripts[conversation_number(-1, 0, 5)].model_calls[0].latency_ns == 0
    assert scripts[conversation_number(SHARED, 0, 5)].model_calls[0].latency_ns > 0


def test_a_session_that_is_not_there_has_no_conversations() -> None:
    scripts = Scripts({0: draw(KINDS, 7).sessions[0]}, KINDS, 7)

    with pytest.raises(KeyError):
        scripts[conversation_number(1, 0, 5)]
