"""Whose the inputs of a request to an endpoint are."""

import json
from collections import Counter

import pytest
from warpbench.mocks.model import NOBODY, Caller, Rule
from warpbench.mocks.model.conversations import task_of
from warpbench.mocks.model.endpoints import endpoint_at
from warpbench.mocks.workload.marks import Mark
from warpbench.mocks.world.whose_inputs import Booked, booked

pytestmark = pytest.mark.once

ONE, TWO = task_of(1, "chat"), task_of(2, "chat")
OF_TWO = f"{Mark(3, 0, 0, owner=2).text}lorem"
PUBLIC = f"{Mark(3, 0, 0).text}lorem"
ITSELF = Caller(1, Rule.CONTEXT)
STARTED = Caller(1, Rule.CONTEXT, is_own=False)
THIRD = Caller(3, Rule.HEADER)


def inputs(*texts: str) -> object:
    return {"input": list(texts)}


def booked_at(path: str, asked: object, caller: Caller) -> Booked:
    found = endpoint_at("POST", path)
    assert found is not None
    return booked(found.endpoint, json.dumps(asked).encode(), caller)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/moderations"])
@pytest.mark.parametrize(
    ("asked", "caller", "sessions", "counts"),
    [
        (inputs(ONE, "other"), ITSELF, (1,), {Rule.CONTEXT: 2}),
        (inputs("any"), THIRD, (3,), {Rule.HEADER: 1}),
        # One session's text alone is no batch: who asks waits for it.
        (inputs(TWO), STARTED, (1,), {Rule.CONTEXT: 1}),
        (inputs(ONE, OF_TWO), NOBODY, (1, 2), {Rule.MARKS: 2}),
        (inputs(ONE, TWO, "any"), NOBODY, (1, 2), {Rule.MARKS: 2, Rule.SHARED: 1}),
        (inputs(f"{ONE} {TWO}", TWO), NOBODY, (2,), {Rule.MARKS: 1, Rule.SHARED: 1}),
        (inputs(ONE, TWO), STARTED, (1, 2), {Rule.MARKS: 2}),
        # The session itself waits for what it sends, whoever's texts are in it.
        (inputs(ONE, TWO), THIRD, (3, 1, 2), {Rule.MARKS: 2}),
        (inputs(ONE, TWO, TWO), NOBODY, (1, 2), {Rule.MARKS: 3}),
        (inputs(PUBLIC, "any"), NOBODY, (), {Rule.SHARED: 2}),
        ({"input": ONE}, NOBODY, (1,), {Rule.MARKS: 1}),
        ({"input": f"{ONE} {TWO}"}, NOBODY, (), {Rule.SHARED: 1}),
    ],
)
def test_each_input_is_of_the_session_whose_text_it_holds(
    path: str, asked: object, caller: Caller, sessions: tuple[int, ...], counts: dict[Rule, int]
) -> None:
    found = booked_at(path, asked, caller)

    assert found.sessions == sessions
    assert +found.inputs == Counter(counts)


def test_the_inputs_of_geminis_batch_are_told_apart() -> None:
    requests = [{"content": {"parts": [{"text": text}]}} for text in (ONE, TWO, "any")]

    found = booked_at("/v1beta/models/m:batchEmbedContents", {"requests": requests}, NOBODY)

    assert found == ((1, 2), {Rule.MARKS: 2, Rule.SHARED: 1})


@pytest.mark.parametrize("body", [b"", b"[", b'{"input": []}', b'{"input": 1}', b"[" * 100_000])
def test_a_body_that_is_no_request_is_one_input(body: bytes) -> None:
    found = endpoint_at("POST", "/v1/embeddings")
    assert found is not None
    assert booked(found.endpoint, body, ITSELF) == ((1,), {Rule.CONTEXT: 1})
