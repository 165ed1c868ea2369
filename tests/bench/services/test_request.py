"""The request of a session: placeholders are filled in once, and fit their place."""

import json
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.services.request import Request, filled, request_of
from warpbench.mocks.scenario.request import USUAL_REQUEST, BodyKind, RequestSpec

pytestmark = pytest.mark.once

TASK = "[warpbench session 3] Carry out the task."


def made(**declared: Any) -> Request:
    return request_of(RequestSpec(**declared), TASK, 3, 2)


def test_the_usual_request() -> None:
    request = request_of(USUAL_REQUEST, TASK, 3, 1)

    assert (request.method, request.path, request.query) == ("POST", "/chat", "")
    assert json.loads(request.body) == {"message": TASK}
    assert dict(request.headers) == {
        "host": "127.0.0.1:8000",
        "user-agent": "warpbench",
        "accept": "*/*",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
    }


def test_addresses_are_encoded_and_others_are_not() -> None:
    request = made(path="/{session}/{task}?q={task}&turn={turn}", body={"a": ["{turn}", {"b": 1}]})

    assert (unquote(request.path), request.path.count("/")) == (f"/3/{TASK}", 2)
    assert parse_qs(request.query) == {"q": [TASK], "turn": ["2"]}
    assert json.loads(request.body) == {"a": ["2", {"b": 1}]}


def test_a_header_of_the_scenario_takes_the_place_of_a_usual_one() -> None:
    headers = made(headers={"Host": "example.com", "X-User": "user-{session}"}).headers

    assert dict(headers)["host"] == "example.com"
    assert dict(headers)["x-user"] == "user-3"


@pytest.mark.parametrize(
    ("kind", "body", "content_type", "sent"),
    [
        (BodyKind.FORM, {"q": "a&{turn}"}, "application/x-www-form-urlencoded", b"q=a%262"),
        (BodyKind.TEXT, "é {turn}", "text/plain; charset=utf-8", "é 2".encode()),
        (BodyKind.JSON, "é", "application/json", '"é"'.encode()),
        (BodyKind.NONE, None, None, b""),
    ],
)
def test_each_form_of_body(
    kind: BodyKind, body: object, content_type: str | None, sent: bytes
) -> None:
    request = made(body_kind=kind, body=body)

    assert request.body == sent
    assert dict(request.headers).get("content-type") == content_type


TEXTS = st.text(alphabet="{}taskesionurn ab", max_size=30)


@given(task=TEXTS, before=TEXTS.filter(lambda text: "{" not in text), key=st.text(max_size=5))
def test_a_value_that_holds_braces_is_left_as_it_is(task: str, before: str, key: str) -> None:
    values = {"task": task, "session": "3", "turn": "1"}

    assert filled({key: [before + "{task}", 1, None]}, values) == {key: [before + task, 1, None]}


@given(task=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_a_task_holds_the_request_can_be_sent(task: str) -> None:
    spec = RequestSpec(path="/{task}?q={task}", headers={"x-task": "{task}"}, body={"m": "{task}"})

    request = request_of(spec, task, 0, 1)

    assert request.path.isascii()
    assert request.query.isascii()
    assert unquote(request.path)[1:] == task
    value = dict(request.headers)["x-task"]
    assert value.encode("latin-1").decode("latin-1") == value
    assert len(value.splitlines()) <= 1
    assert json.loads(request.body) == {"m": task}
