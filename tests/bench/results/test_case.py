"""A case of an exploration as text: one word, read as it was written."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.cancellation import AT_ITS_END, Cancellation
from warpbench.bench.results.case import Case, KeptLatency, case_text, parse_case
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import WaitName

pytestmark = pytest.mark.once

NUMBERS = st.integers(0, 10**9)
NAMES = st.text(max_size=12)
CANCELLATIONS = st.builds(
    Cancellation,
    NUMBERS,
    st.text(min_size=1, max_size=12),
    NUMBERS,
    st.none() | NUMBERS.map(lambda after_ms: after_ms * 1_000_000),
)
LATENCIES = st.builds(
    KeptLatency,
    st.builds(WaitName, NUMBERS, NUMBERS, NUMBERS),
    st.none() | st.integers(-(10**6), 10**6),
)
CASES = st.builds(
    Case,
    NUMBERS,
    st.none() | st.lists(NUMBERS, max_size=3).map(tuple),
    st.none() | st.lists(LATENCIES, max_size=3).map(tuple),
    st.none() | st.lists(NUMBERS | CANCELLATIONS, max_size=3).map(tuple),
    st.none() | st.lists(st.builds(Choice, NAMES, NUMBERS, NAMES), max_size=3).map(tuple),
)


@given(CASES)
def test_a_case_is_read_as_it_was_written(case: Case) -> None:
    text = case_text(case)

    assert parse_case(text) == case
    assert shlex.quote(text) == text or "~" in text
    assert not re.search(r"[\s'\"$&;|<>*?#]", text)


def test_a_cancellation_is_named_by_its_session_its_wait_and_the_moment_in_it() -> None:
    cancels = (
        Cancellation(3, "answer", 2, AT_ITS_END),
        Cancellation(4, "Lock.acquire", 1),
        Cancellation(5, "sleep", 1, 250_000_000),
    )

    text = case_text(Case(17, cancels=cancels))

    assert text == "17/cancels=3~answer~2~end+4~Lock.acquire~1~begin+5~sleep~1~250ms"
    assert parse_case("17/cancels=3").cancels == (3,)


def test_a_latency_is_named_by_its_call_and_by_how_much_it_differs() -> None:
    waits = (
        KeptLatency(WaitName(3, 0)),
        KeptLatency(WaitName(3, 1), 3),
        KeptLatency(WaitName(7, 1, 2), -10),
    )

    text = case_text(Case(17, waits=waits))

    assert text == "17/waits=3.0+3.1@3ms+7.1.2@-10ms"


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "1.5", "17/", "17/waits", "17/waits=1", "17/waits=1.2.3.4", "17/sessions=a",
     "17/nights=3", "17/choices=a~b", "17/choices=a~x~b", "٣", "17/cancels=1~answer~2",
     "17/cancels=1~answer~2~250", "17/cancels=1~~2~end", "17/cancels=1~answer~x~end",
     "17/waits=1.0@3", "17/waits=1.0@xms"],
)  # fmt: skip
def test_what_is_no_case_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="expected the number of a schedule"):
        parse_case(text)
