"""The scripted model: what it answers is worked out from the request alone."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion
from warpbench.mocks.model import Manner, Rule, ScriptedModel, task_of
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.wire.reply import Reply
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind

pytestmark = pytest.mark.once

LOOK_UP = ToolCallScript("look_up", '{"word":"time"}', ToolKind.ASYNC, 5)
ASKS = ModelCallScript(100, 11, 22, (LOOK_UP, LOOK_UP))
ANSWERS = ModelCallScript(200, 33, 44, ())
TICKETED = {"type": "object", "properties": {"word": {"type": "string"}, "ticket": {}}}


def model(*sessions: SessionScript) -> ScriptedModel:
    scripts = sessions or (SessionScript(7, (ASKS, ANSWERS)),)
    return ScriptedModel({script.session: script for script in scripts})


def answered(body: bytes, played: ScriptedModel | None = None) -> Reply:
    return (played or model()).reply("/v1/chat/completions", body, now_ns=0).reply


def declaration(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def request(session: int = 7, answers: int = 0, **more: Any) -> bytes:
    messages: list[dict[str, Any]] = [{"role": "user", "content": task_of(session, "any")}]
    messages += [{"role": "assistant", "content": "…"}] * answers
    return json.dumps({"model": "gpt-4o-mini", "messages": messages, **more}).encode()


def completion(body: bytes) -> ChatCompletion:
    return ChatCompletion.model_validate_json(body, strict=True)


def calls_in(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    tool_calls = completion(body).choices[0].message.tool_calls or []
    return [
        (call.function.name, json.loads(call.function.arguments))
        for call in tool_calls
        if call.type == "function"
    ]


def test_the_step_is_the_number_of_answers_so_far() -> None:
    tools = [declaration("look_up", TICKETED)]
    first = answered(request(tools=tools))
    second = answered(request(answers=1, tools=tools))

    assert (first.end_ns, second.end_ns) == (100, 200)
    assert completion(first.body).choices[0].finish_reason == "tool_calls"
    assert completion(second.body).choices[0].finish_reason == "stop"


def test_a_retried_request_gets_the_same_answer() -> None:
    played = model()

    first = played.reply("/v1/chat/completions", request(), 0)
    assert first.attempt is not None
    first.attempt.ends(is_answered=False, is_given_up=True)
    again = played.reply("/v1/chat/completions", request(), 0)

    assert again == first
    assert played.conversations.counts == {Manner.FIRST: 1, Manner.RETRY: 1}


def test_a_call_of_the_labs_tool_carries_its_ticket() -> None:
    answer = answered(request(tools=[declaration("look_up", TICKETED)]))

    assert calls_in(answer.body) == [
        ("look_up", {"word": "time", "ticket": "7.0.0"}),
        ("look_up", {"word": "time", "ticket": "7.0.1"}),
    ]


def test_a_tool_of_the_same_name_without_ticket_gets_none() -> None:
    tools = [declaration("look_up", {"type": "object", "properties": {"word": {}}})]

    assert calls_in(answered(request(tools=tools)).body)[0] == ("look_up", {"word": "time"})


def test_tools_of_the_targets_own_are_asked_for_in_turn() -> None:
    tools = [
        declaration("add", {"properties": {"a": {"type": "integer"}}, "required": ["a"]}),
        declaration("now", {}),
    ]

    (add, arguments), now = calls_in(answered(request(tools=tools)).body)
    assert (add, list(arguments), now) == ("add", ["a"], ("now", {}))


def test_without_tools_the_model_answers_at_once() -> None:
    played = model()

    answer = answered(request(), played)

    assert calls_in(answer.body) == []
    assert completion(answer.body).choices[0].message.content
    assert played.tools_declared == frozenset()


def test_what_any_request_declares_is_declared() -> None:
    played = model()
    tools = [declaration("look_up", TICKETED)]

    answered(request(tools=tools), played)
    answered(request(answers=1), played)

    assert played.tools_declared == {"look_up"}


def test_a_tool_without_a_schema_takes_no_arguments() -> None:
    tools = [declaration("now", None)]

    assert calls_in(answered(request(tools=tools)).body) == [("now", {}), ("now", {})]


@pytest.mark.parametrize("parameters", [[], "text", 3])
def test_a_schema_that_is_none_is_a_bad_request_as_it_is_to_the_real_api(parameters: Any) -> None:
    answer = answered(request(tools=[declaration("now", parameters)]))

    assert answer.status == 400
    assert "$.tools[0].function.parameters" in json.loads(answer.body)["error"]["message"]


def test_a_marker_that_no_session_can_have_books_to_nobody() -> None:
    played = model()

    assert (
        answered(request().replace(b"session 7", b"session " + b"9" * 5000), played).status == 200
    )
    assert played.conversations.rules == {Rule.SHARED: 1}


def test_tokens_are_as_drawn() -> None:
    tools = [declaration("look_up", TICKETED)]
    usage = completion(answered(request(tools=tools)).body).usage

    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 22, 33)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", "not a request to …/chat/completions"),
        (request(session=99), "no session 99"),
        (b"[warpbench session 7] no JSON", "not a request to …/chat/completions"),
        (b'{"prompt": "[warpbench session 7]"}', "not a request to …/chat/completions"),
        (b'["[warpbench session 7]"]', "not a request to …/chat/completions"),
        (request(tools=[{"type": "function"}]), "a tool of type `function` has no `function`"),
        (request(tools=[{"function": {"name": "now"}}]), "missing required field `type`"),
        (b'{"model": 4, "messages": []}', "got `int` - at `$.model`"),
        (b'{"model": "\xff", "messages": []}', "not a request to …/chat/completions"),
        pytest.param(
            b'{"model": "m", "messages": [{"role": "user", "content": ' + b"[" * 100_000,
            "maximum recursion depth exceeded",
            id="nested",
        ),
    ],
)
def test_what_it_cannot_answer_is_a_bad_request_that_says_why(body: bytes, expected: str) -> None:
    answer = answered(body)

    assert (answer.status, answer.end_ns) == (400, 0)
    assert expected in json.loads(answer.body)["error"]["message"]


AWKWARD = st.text(alphabet=st.sampled_from('a%\\"\0\u2028é🙂{}()s#d'), max_size=12)


@given(name=AWKWARD, word=AWKWARD, model_name=AWKWARD)
def test_no_character_breaks_an_answer(name: str, word: str, model_name: str) -> None:
    call = ToolCallScript("t" + name, json.dumps({"word": word}), ToolKind.ASYNC, 5)
    played = model(SessionScript(7, (ModelCallScript(1, 2, 3, (call,)), ANSWERS)))
    tools = [declaration("t" + name, TICKETED)]

    body = answered(request(tools=tools).replace(b"gpt-4o-mini", _inner(model_name)), played).body

    assert calls_in(body) == [("t" + name, {"word": word, "ticket": "7.0.0"})]
    assert completion(body).model == model_name


def _inner(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()


def test_an_attempt_that_a_limit_refuses_does_not_use_up_its_fault() -> None:
    fault = Fault(FaultKind.EMPTY_ANSWER)
    calls = (replace(ANSWERS, faults=(fault,)),)
    plain = SessionScript(8, (ANSWERS,))
    sessions = {7: SessionScript(7, calls), 8: plain}
    played = ScriptedModel(sessions, ModelLimits(requests_per_minute=1))
    path = "/v1/chat/completions"

    first = played.reply(path, request(session=8), 0).reply
    refused = played.reply(path, request(), 0).reply
    met = played.reply(path, request(), 60_000_000_000).reply

    assert [reply.status for reply in (first, refused, met)] == [200, 429, 200]
    assert completion(met.body).choices[0].message.content == ""
