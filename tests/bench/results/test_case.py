"""A case of an exploration as text: one word, read as it was written."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.case import Case, case_text, parse_case
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import WaitName

NUMBERS = st.integers(0, 10**9)
NAMES = st.text(max_size=12)
CASES = st.builds(
    Case,
    NUMBERS,
    st.none() | st.lists(NUMBERS, max_size=3).map(tuple),
    st.none() | st.lists(st.builds(WaitName, NUMBERS, NUMBERS, NUMBERS), max_size=3).map(tuple),
    st.none() | st.lists(NUMBERS, max_size=3).map(tuple),
    st.none() | st.lists(st.builds(Choice, NAMES, NUMBERS, NAMES), max_size=3).map(tuple),
)


@given(CASES)
def test_a_case_is_read_as_it_was_written(case: Case) -> None:
    text = case_text(case)

    assert parse_case(text) == case
    assert shlex.quote(text) == text or "~" in text
    assert not re.search(r"[\s'\"$&;|<>*?#]", text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "1.5", "17/", "17/waits", "17/waits=1", "17/waits=1.2.3.4", "17/sessions=a",
     "17/nights=3", "17/choices=a~b", "17/choices=a~x~b", "٣"],
)  # fmt: skip
def test_what_is_no_case_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="expected the number of a schedule"):
        parse_case(text)
