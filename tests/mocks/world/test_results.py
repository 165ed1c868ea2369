"""What tools and services return: marks, and results that are changed on purpose."""

import json

import pytest
from warpbench.mocks.observe.data_flow import Change
from warpbench.mocks.wire.reply import Reply, whole_reply
from warpbench.mocks.workload.marks import Mark, marks_in, without_marks
from warpbench.mocks.world.results import changed_reply, tool_result

pytestmark = pytest.mark.once

AT = (3, 2, 1)


def mark_of(text: str) -> Mark:
    (mark,) = marks_in(text.encode())
    return mark


def test_a_result_says_which_call_it_is_of() -> None:
    text = tool_result("search", AT, {"query": "trains"})

    assert mark_of(text) == Mark(3, 2, 2)
    assert without_marks(text.encode()) == b"search has done 3.2.1"


@pytest.mark.parametrize("carried", [Mark(3, 0, owner=3).text, "[warpbench session 3] Carry out"])
def test_it_is_the_text_of_the_session_whose_text_the_arguments_carry(carried: str) -> None:
    assert mark_of(tool_result("search", AT, {"query": carried})).owner == 3
    assert mark_of(tool_result("search", (4, 2, 1), {"query": carried})).owner == 3
    assert mark_of(tool_result("search", AT, {"query": carried}, is_shared=True)).owner is None


def test_without_provenance_it_has_no_mark() -> None:
    assert tool_result("search", AT, {}, is_marked=False) == "search has done 3.2.1"


def test_a_changed_result_keeps_its_mark() -> None:
    texts = [tool_result("search", AT, {}, draw) for draw in range(4)]

    assert len(set(texts)) == len(texts)
    assert {mark_of(text) for text in texts} == {Mark(3, 2, 2)}


def reply(body: bytes) -> Reply:
    return whole_reply(200, {}, body, 7)


def test_a_reply_in_json_keeps_its_shape() -> None:
    found = json.loads(changed_reply(reply(b'{"sky": "clear", "c": [21]}'), Change(1)).body)

    assert (found.keys(), found["sky"], found["c"]) == ({"sky", "c"}, "No, 7: clear", [22])


def test_any_other_reply_is_another_text() -> None:
    assert changed_reply(reply(b"Nothing happened."), Change(1)).body != b"Nothing happened."


def test_a_reply_is_there_later() -> None:
    assert changed_reply(reply(b"x"), Change(later_ns=5)) == whole_reply(200, {}, b"x", 12)
    assert changed_reply(reply(b"x"), Change()) == reply(b"x")
