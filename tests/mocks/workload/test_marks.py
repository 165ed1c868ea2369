"""Provenance marks: found wherever the text is carried, and nowhere else."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from warpbench.mocks.scenario.model import MAX_CONVERSATIONS
from warpbench.mocks.workload.marks import (
    LENGTH,
    Mark,
    filler,
    marks_in,
    without_marks,
    without_passages,
)
from warpbench.mocks.workload.numbers import conversation_number

pytestmark = pytest.mark.once

NUMBERS = st.builds(
    conversation_number,
    st.integers(-2, 999_998),
    st.integers(0, MAX_CONVERSATIONS),
    st.integers(0, 2**32 - 1),
) | st.integers(-(10**12), 10**12)
OWNERS = st.none() | st.integers(-999_999, 999_999)
MARKS = st.builds(Mark, NUMBERS, st.integers(0, 65_535), st.integers(0, 255), OWNERS)
AROUND = st.text(max_size=40)


@given(mark=MARKS, before=AROUND, behind=AROUND)
@example(mark=Mark(0, 0), before="80471", behind="80471")
def test_a_mark_is_found_in_any_text_in_any_case(mark: Mark, before: str, behind: str) -> None:
    for text in (mark.text, mark.text.upper(), mark.text.title()):
        carried = json.dumps({"said": f"{before}{text}{behind}"}).encode()

        assert list(marks_in(carried)) == [mark]


@given(mark=MARKS, before=AROUND, behind=AROUND)
def test_without_its_mark_a_text_is_as_long_as_an_unmarked_one(
    mark: Mark, before: str, behind: str
) -> None:
    assert without_marks(f"{before}{mark.text}{behind}".encode()) == f"{before}{behind}".encode()


@given(mark=MARKS, at=st.integers(0, LENGTH - 2), letter=st.sampled_from("abcxyz234580"))
def test_a_mark_that_is_not_whole_is_none(mark: Mark, at: int, letter: str) -> None:
    changed = mark.text[:at] + letter + mark.text[at + 1 :]

    assert list(marks_in(changed.encode())) == ([mark] if changed == mark.text else [])


@given(mark=MARKS, characters=st.integers(0, 300))
def test_the_passages_of_the_mock_are_cut_out(mark: Mark, characters: int) -> None:
    text = f"Notes: {mark.text}{filler(characters)}; lorem."

    assert without_passages(text.encode()) == b"Notes: ; lorem."


def test_every_mark_is_of_one_length() -> None:
    assert {len(Mark(number, 1).text) for number in (0, -2, 999_999, 10**17)} == {LENGTH}
