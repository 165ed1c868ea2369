"""What a scenario says that a session asks a service."""

import pytest
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.scenario.compile_request import answer_of
from warpbench.mocks.scenario.request import (
    USUAL_REQUEST,
    AnswerKind,
    AnswerSpec,
    BodyKind,
    RequestSpec,
)

pytestmark = pytest.mark.once

SCENARIO = """\
name = "service"
description = "A service is asked."
sessions = 1

[model]
latency_s = 1

[[rounds]]
"""


def request(table: str) -> RequestSpec:
    return parse_scenario(f"{SCENARIO}[request]\n{table}", "my.toml").request


def test_without_a_table_it_is_the_usual_request() -> None:
    assert parse_scenario(SCENARIO).request == USUAL_REQUEST == request("")
    assert (USUAL_REQUEST.method, USUAL_REQUEST.path) == ("POST", "/chat")
    assert (USUAL_REQUEST.body_kind, USUAL_REQUEST.body) == (BodyKind.JSON, {"message": "{task}"})
    assert (USUAL_REQUEST.answer.kind, USUAL_REQUEST.turns) == (AnswerKind.AUTO, 1)


def test_each_key_is_read() -> None:
    found = request(
        'method = "put"\npath = "/v1/{session}?turn={turn}"\n'
        'headers = { Authorization = "Bearer x" }\n'
        'json = { messages = [{ role = "user", content = "{task}" }], n = 1 }\n'
        'answer = "json:/choices/0"\nturns = 3\n'
    )

    assert found == RequestSpec(
        method="PUT",
        path="/v1/{session}?turn={turn}",
        headers={"Authorization": "Bearer x"},
        body_kind=BodyKind.JSON,
        body={"messages": [{"role": "user", "content": "{task}"}], "n": 1},
        answer=AnswerSpec(AnswerKind.JSON, ("choices", "0")),
        turns=3,
    )


@pytest.mark.parametrize(
    ("table", "kind", "body"),
    [
        ('method = "GET"', BodyKind.NONE, None),
        ('method = "GET"\ntext = "{task}"', BodyKind.TEXT, "{task}"),
        ('form = { q = "{task}" }', BodyKind.FORM, {"q": "{task}"}),
        ("json = {}", BodyKind.JSON, {}),
        ("json = 0", BodyKind.JSON, 0),
        ('method = "PATCH"', BodyKind.JSON, {"message": "{task}"}),
    ],
)
def test_a_request_has_a_body_if_its_method_has_or_one_is_declared(
    table: str, kind: BodyKind, body: object
) -> None:
    found = request(table)

    assert (found.body_kind, found.body) == (kind, body)


def test_a_session_has_as_many_turns_as_its_rounds_begin() -> None:
    two = SCENARIO + "[[rounds]]\nturn = true\n"

    assert parse_scenario(two).request.turns == 2
    assert parse_scenario(two + "[request]\nturns = 5\n").request.turns == 5


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("auto", AnswerSpec()),
        ("text", AnswerSpec(AnswerKind.TEXT)),
        ("json:", AnswerSpec(AnswerKind.JSON, ())),
        ("json:/", AnswerSpec(AnswerKind.JSON, ("",))),
        ("json:/a~1b/m~0n/0", AnswerSpec(AnswerKind.JSON, ("a/b", "m~n", "0"))),
        ("json:/~01", AnswerSpec(AnswerKind.JSON, ("~1",))),
        ("sse:data", AnswerSpec(AnswerKind.EVENTS)),
        ("sse:data:/delta", AnswerSpec(AnswerKind.EVENTS, ("delta",))),
    ],
)
def test_where_an_answers_text_stands(declared: str, expected: AnswerSpec) -> None:
    assert answer_of(declared) == expected


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (
            'pth = "/x"',
            "request.pth: expected method, path, headers, json, form, text, answer or turns, "
            "found the unknown key 'pth' (did you mean 'path'?)",
        ),
        ('method = "GE T"', "request.method: expected an HTTP method, found 'GE T'"),
        (
            'path = "chat"',
            "request.path: expected a path as /chat, in ASCII without spaces, perhaps with a "
            "query, found 'chat'",
        ),
        (
            'answer = "xml:/a"',
            "request.answer: expected auto, text, json:/pointer, sse:data or sse:data:/pointer, "
            "found 'xml:/a'",
        ),
        (
            'answer = "json:answer"',
            "request.answer: expected a JSON pointer as /answer/0/text, found 'answer'",
        ),
        (
            'json = {}\ntext = "x"',
            "request: expected json, form or text, found json and text",
        ),
        (
            "json = { at = 2020-01-01 }",
            "request.json: expected values that JSON has (no dates, no nan), found another value",
        ),
        (
            'json = { messages = ["{tsk}"] }',
            "request.json.messages[0]: expected {task}, {session} or {turn}, found '{tsk}'",
        ),
        (
            'path = "/{sesion}"',
            "request.path: expected {task}, {session} or {turn}, found '{sesion}'",
        ),
        ('headers = { "a b" = "x" }', "request.headers[\"'a b'\"]"),
        ('headers = { a = "x\\ny" }', "request.headers.a: expected one line of ASCII"),
        ("turns = 0", "request.turns: expected at least 1, found 0"),
    ],
)
def test_anything_else_gets_one_line(table: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        request(table)

    if "a b" not in table:
        assert str(caught.value).startswith(f"my.toml: {problem}")
    assert "\n" not in str(caught.value)


def test_other_braces_are_text() -> None:
    assert request('text = "{name} {}"').body == "{name} {}"
