import json
import math
from typing import Any

import pytest
from warpbench.agent import ModelAnswerError, Usage
from warpbench.agent.conversation.wire import (
    encode_answer,
    encode_head,
    encode_result,
    encode_text,
    join_request,
    parse_answer,
)
from warpbench.agent.messages import ModelAnswer, ToolCall, ToolResult

from ..scripted import call, calls, completion, final

pytestmark = pytest.mark.once


def parse(document: object) -> ModelAnswer:
    return parse_answer(json.dumps(document).encode())


def test_a_request_is_its_encoded_parts_joined() -> None:
    head = encode_head("gpt", {}, [{"type": "function"}])
    body = json.loads(join_request(head, [encode_text("system", "a"), encode_text("user", "b")]))
    assert body == {
        "model": "gpt",
        "tools": [{"type": "function"}],
        "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}],
    }


def test_an_agent_without_tools_sends_no_empty_list_of_them() -> None:
    assert "tools" not in json.loads(join_request(encode_head("gpt", {}, []), []))


def test_an_answer_repeats_as_it_came() -> None:
    document = calls(call("f", "1", x="é☃"), call("g", "2"), content="Let me see.")
    message = json.loads(encode_answer(parse(document)))
    assert message == document["choices"][0]["message"]


def test_a_final_answer_is_read() -> None:
    assert parse(final("hello")) == ModelAnswer("hello", None, (), "stop", Usage(10, 2))


def test_a_refusal_is_read() -> None:
    answer = parse(completion({"refusal": "I will not."}, "stop"))
    assert (answer.text, answer.refusal) == (None, "I will not.")


@pytest.mark.parametrize("absent", [{"usage": None}, {}])
def test_a_server_that_counts_no_tokens_is_fine(absent: Any) -> None:
    document = {key: value for key, value in final().items() if key != "usage"} | absent
    assert parse(document).usage == Usage()


def test_text_that_is_not_unicode_is_sent_all_the_same() -> None:
    encoded = encode_result(ToolResult("1", "file \udcff"))
    assert json.loads(encoded)["content"] == "file \udcff"


def with_call(**fields: object) -> dict[str, object]:
    item = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}} | fields
    return completion({"tool_calls": [item]}, "tool_calls")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], r"has \[\] at the top; expected an object"),
        ({}, "has nothing at choices; expected a list"),
        ({"error": {"message": "no"}}, "has nothing at choices"),
        ({"choices": []}, "has no choices"),
        ({"choices": [None]}, r"has nothing at choices\[0\]; expected an object"),
        ({"choices": [{}]}, r"has nothing at choices\[0\].message; expected an object"),
        (completion({"content": ["hi"]}, "stop"), r"has \['hi'\] at .*content; expected a string"),
        (completion({"tool_calls": {}}, "stop"), "tool_calls; expected a list"),
        (with_call(function=None), r"nothing at .*tool_calls\[0\].function; expected an object"),
        (with_call(id=7), r"has 7 at .*tool_calls\[0\].id; expected a string"),
        (with_call(function={"name": "f", "arguments": {}}), r"arguments; expected a string"),
        (final() | {"usage": {"prompt_tokens": True}}, "has True at usage.prompt_tokens"),
    ],
)
def test_a_malformed_answer_says_where(document: Any, complaint: str) -> None:
    with pytest.raises(ModelAnswerError, match=complaint):
        parse(document)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b'{"choices": [',
        b"\xff",
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_an_answer_that_is_not_json_shows_how_it_begins(body: bytes) -> None:
    with pytest.raises(ModelAnswerError, match=r"not JSON.*begins"):
        parse_answer(body)


def test_a_logarithm_of_no_probability_spoils_no_answer() -> None:
    body = json.dumps(final() | {"logprob": -math.inf}).encode()

    assert b"-Infinity" in body
    assert parse_answer(body) == parse(final())


def test_calls_keep_the_arguments_as_they_were_written() -> None:
    assert parse(with_call(function={"name": "f", "arguments": "{oops"})).tool_calls == (
        ToolCall("1", "f", "{oops"),
    )
