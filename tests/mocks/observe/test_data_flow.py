"""Notes of what requests hold: marks, identifiers; and which outputs are changed."""

import pytest
from warpbench.mocks.observe.data_flow import UNCHANGED, Change, DataFlowNotes, Output
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.workload.marks import Mark
from warpbench.mocks.workload.numbers import conversation_number

pytestmark = pytest.mark.once

OTHER = conversation_number(0, 0, 12345)


def notes() -> DataFlowNotes:
    return DataFlowNotes(0, lambda: ("agent.py:session:3",))


def noted(body: bytes) -> tuple[Output, ...]:
    found = notes()
    found.model_call(OTHER, 1, "/v1/chat/completions", body, 5)
    (asked,) = found.asked
    return asked.holds


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        (Mark(OTHER, 0).text.encode() + b"lorem", (Output(OTHER, 0),)),
        (Mark(0, 3, 2).text.upper().encode(), (Output(0, 3, 2),)),
        (b'{"tool_call_id": "call_0_2_1"}', (Output(0, 2), Output(0, 2, 2))),
        (b'"previous_response_id": "resp_0_4"', (Output(0, 4),)),
        (b"nothing of the mock's", ()),
    ],
    ids=["answer", "tool's result, upper case", "call", "continued", "none"],
)
def test_a_request_holds_the_outputs_whose_marks_and_identifiers_are_in_it(
    body: bytes, holds: tuple[Output, ...]
) -> None:
    assert noted(body) == holds


def test_equal_requests_but_for_their_marks_have_equal_content() -> None:
    found = notes()
    for step in range(2):
        found.model_call(0, 0, "/p", Mark(0, step).text.encode() + b"lorem", step)
    found.model_call(0, 0, "/p", b"ipsum", 2)
    first, second, third = (asked.content for asked in found.asked)

    assert first == second != third


def test_a_tool_needs_the_answer_that_asked_for_it() -> None:
    found = notes()
    found.tool_call((0, 2, 1), "search", {"query": Mark(OTHER, 0).text}, 7)
    (asked,) = found.asked

    assert asked.holds == (Output(0, 2), Output(OTHER, 0))
    assert asked.places == ("agent.py:session:3",)


@pytest.mark.parametrize("number", [1, -1], ids=["another session", "a warm-up"])
def test_what_is_not_the_sessions_is_not_noted(number: int) -> None:
    found = notes()

    assert found.model_call(number, 0, "/p", b"", 0) is UNCHANGED
    assert found.service_call("host", "GET", "https://host/", b"", 0) is UNCHANGED
    assert found.asked == []


def test_a_service_is_asked_by_the_session_whose_code_runs() -> None:
    found = notes()
    before = SESSION.set(SessionScope(0))
    try:
        found.service_call("host", "GET", "https://host/", b"", 0)
    finally:
        SESSION.reset(before)

    assert [asked.number for asked in found.asked] == [0]


def test_an_output_is_changed_by_the_content_of_its_request() -> None:
    found = notes()
    found.model_call(0, 0, "/p", b"who?", 0)
    found.changes = {found.asked[0].content: Change(draw=2)}

    assert found.model_call(0, 0, "/p", b"who?", 1) == Change(draw=2)
    assert found.model_call(0, 0, "/p", b"where?", 1) == UNCHANGED
