"""What a user sees of an answer: text, events, a value of JSON; or why there is none."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.services.answers import Answer, at_pointer, reader_of
from warpbench.mocks.errors import ServiceError
from warpbench.mocks.scenario.compile_request import answer_of

pytestmark = pytest.mark.once

EVENTS = "text/event-stream; charset=utf-8"
JSON = "application/json"


def read(
    parts: Iterable[bytes], content_type: str = "", declared: str = "auto", status: int = 200
) -> list[str]:
    reader = reader_of(answer_of(declared), Answer(status, content_type))
    texts = [text for part in parts for text in reader.feed(part)]
    return [*texts, *reader.end()]


def test_text_comes_as_it_comes_and_no_character_is_cut() -> None:
    word = "é".encode()

    assert read([b"Hel", b"", b"lo ", word[:1], word[1:]], "text/plain") == ["Hel", "lo ", "é"]
    assert read(["é".encode("latin-1")], "text/plain; charset=ISO-8859-1") == ["é"]
    assert read([word], "text/plain; charset=nonsense") == ["é"]
    assert read([word[:1]], "text/plain") == ["\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": 5, "answer": "yes", "text": "no"}, "yes"),
        ({"text": "no", "output": "yes"}, "yes"),
        ({"answer": None, "reply": "yes"}, "yes"),
        ("yes", "yes"),
        ({"else": 1}, '{"else": 1}'),
        ([1, 2], "[1, 2]"),
    ],
)
def test_of_json_the_first_usual_field_counts(body: object, expected: str) -> None:
    text = json.dumps(body).encode()

    assert read([text[:3], text[3:]], JSON) == [expected]
    assert read([text], "application/problem+json") == [expected]
    assert read([text], JSON, "text") == [text.decode()]


def test_json_that_is_none_is_text_unless_a_value_of_it_is_wanted() -> None:
    assert read([b"oops"], JSON) == ["oops"]
    with pytest.raises(ServiceError, match=r"no JSON.*'oops'"):
        read([b"oops"], JSON, "json:/answer")


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/choices/0/text", "yes"),
        ("/n", "5"),
        ("/none", ""),
        ("/a~1b", "true"),
        ("/choices", '[{"text": "yes"}]'),
    ],
)
def test_a_pointer_leads_to_a_value(pointer: str, expected: str) -> None:
    body = {"choices": [{"text": "yes"}], "n": 5, "none": None, "a/b": True}

    assert read([json.dumps(body).encode()], "", f"json:{pointer}") == [expected]


@pytest.mark.parametrize("pointer", ["/b", "/a/1", "/a/01", "/a/-", "/a/0/x"])
def test_a_pointer_to_nothing_fails_the_session(pointer: str) -> None:
    with pytest.raises(ServiceError, match=f"no {pointer}"):
        read([b'{"a": [1]}'], JSON, f"json:{pointer}")


STREAM = (
    "\ufeff: a comment\n"
    "data: Hel\r\n\r\n"
    "event: token\rdata:lo\r\r"
    "id: 7\n\n"
    "data: two\ndata:  lines\n\n"
    "data: é\n\n"
    "data: [DONE]\n\n"
    "data: unfinished"
).encode()
TEXTS = ["Hel", "lo", "two\n lines", "é", "unfinished"]


def test_events_come_one_by_one() -> None:
    reader = reader_of(answer_of("auto"), Answer(200, EVENTS))

    assert list(reader.feed(b"data: a\n")) == []
    assert list(reader.feed(b"\ndata: b\n\nda")) == ["a", "b"]
    assert list(reader.end()) == []


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[begin:end] for begin, end in pairwise(edges)]

    assert read(parts, EVENTS) == TEXTS
    assert read(parts, "", "sse:data") == TEXTS


def test_a_pointer_into_events_leaves_out_those_that_lack_it() -> None:
    stream = (
        b'data: {"d":"a"}\n\ndata: {"usage":1}\n\ndata: x\n\ndata: {"d":"b"}\n\ndata: [DONE]\n\n'
    )

    assert read([stream], EVENTS, "sse:data:/d") == ["a", "b"]


@pytest.mark.parametrize("status", [400, 404, 422, 500, 503])
def test_a_status_that_refuses_fails_the_session_with_the_beginning_of_the_body(
    status: int,
) -> None:
    with pytest.raises(ServiceError) as caught:
        read([b"x" * 150, b"y" * 150], EVENTS, status=status)

    assert str(caught.value) == f"the service answered status {status}: " + "x" * 150 + "y" * 50


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=3), parts),
    max_leaves=8,
)


def places(value: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    yield path, value
    parts = value.items() if isinstance(value, dict) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for key, part in parts:
        yield from places(part, (*path, str(key)))


@given(VALUES)
def test_the_pointer_of_each_value_of_a_document_leads_to_it(document: Any) -> None:
    for path, value in places(document):
        written = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)

        assert at_pointer(document, answer_of(f"json:{written}").pointer or ()) == value
