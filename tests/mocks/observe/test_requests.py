"""Requests are summed up by part, and as if each session bore the same number."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.model import task_of
from warpbench.mocks.observe.requests import RequestMeter, Requests

pytestmark = pytest.mark.once

SESSIONS = (0, 9, 10, 123_456, -1)


def summed(*bodies: object, is_streamed: bool = False) -> Requests:
    meter = RequestMeter()
    for body in bodies:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        meter.note(content, is_streamed=is_streamed)
    return meter.requests()


def chat(session: int) -> object:
    ticket = f"{session}.0.1"
    function = {"name": "search", "arguments": json.dumps({"query": "x", "ticket": ticket})}
    call = {"id": f"call_{session}_0_1", "type": "function", "function": function}
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": task_of(session, "tools")},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": f"search has done {ticket}"},
        ],
    }


def responses(session: int) -> object:
    return {
        "model": "m",
        "previous_response_id": f"resp_{session}_0",
        "input": [
            {"type": "function_call_output", "call_id": f"call_{session}_0_1", "output": "done"}
        ],
    }


def messages(session: int) -> object:
    use = {
        "type": "tool_use",
        "id": f"toolu_{session}_0_0",
        "name": "search",
        "input": {"ticket": f"{session}.0.0"},
    }
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": task_of(session, "tools")},
            {"role": "assistant", "content": [use]},
        ],
    }


@pytest.mark.parametrize("request_of", [chat, responses, messages])
def test_the_number_of_a_session_counts_in_no_api(request_of: object) -> None:
    sums = [summed(request_of(session)) for session in SESSIONS]  # type: ignore[operator]

    assert len({each.body_bytes for each in sums}) == 1
    assert len({tuple(each.part_bytes.items()) for each in sums}) == 1


def test_each_member_of_a_list_is_named_by_role_or_name() -> None:
    system, user = {"role": "system", "content": "x" * 100}, {"role": "user", "content": "y"}
    search = {"type": "function", "function": {"name": "search", "parameters": {}}}
    lookup = {"name": "lookup", "input_schema": {}}
    body = {
        "model": "m", "messages": [system, user, user], "tools": [search, lookup], "stop": ["a"],
    }  # fmt: skip

    found = summed(body)

    sizes = {
        "messages.system": len(json.dumps(system)),
        "messages.user": 2 * len(json.dumps(user)),
        "model": len('"m"'),
        "stop": len('["a"]'),
        "tools.lookup": len(json.dumps(lookup)),
        "tools.search": len(json.dumps(search)),
    }
    assert found.part_bytes == sizes
    assert found.body_bytes == len(json.dumps(body))


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_request_counts_as_what_it_is(body: bytes) -> None:
    assert summed(body) == Requests(body_bytes=len(body))


def test_streamed_ones_are_counted_and_all_are_forgotten() -> None:
    meter = RequestMeter()
    meter.note(b"{}", is_streamed=True)
    meter.note(b"{}", is_streamed=False)
    assert meter.requests() == Requests(body_bytes=4, streamed=1)

    meter.forget()

    assert meter.requests() == Requests()


def test_none_is_lost_between_threads() -> None:
    meter = RequestMeter()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(400):
            pool.submit(meter.note, b'{"model":"m"}', is_streamed=True)

    assert meter.requests() == Requests(
        body_bytes=400 * 13, part_bytes={"model": 400 * 3}, streamed=400
    )


@given(st.dictionaries(st.text(), st.lists(st.text() | st.integers()) | st.text()))
def test_parts_never_add_up_to_more_than_the_whole(body: dict[str, object]) -> None:
    found = summed(body)
    assert sum(found.part_bytes.values()) <= found.body_bytes


def test_requests_to_services_are_summed_up_by_host_and_without_session_numbers() -> None:
    meter = RequestMeter()
    for session in SESSIONS:
        meter.note_service("a.example", json.dumps({"ticket": f"{session}.0.1"}).encode())
    meter.note_service("b.example", b"")
    requests = meter.requests()
    assert requests.service_bytes == {"a.example": 5 * len(b'{"ticket": ".0.1"}'), "b.example": 0}
    assert requests.body_bytes == 0
    meter.forget()
    assert meter.requests() == Requests()
