"""What was sent to the model, as text, in each API, and how many tokens that is."""

import json
from typing import Any

import anthropic
import openai
import pytest
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.model.apis import addressed
from warpbench.mocks.model.sent import text_sent, tokens_sent
from warpbench.mocks.scenario import ModelLimits, parse_scenario
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import draw
from warpbench.mocks.world.world import WorldSpec

from ..mocked import PROMPT

pytestmark = pytest.mark.once

SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}}
AS_TEXT = json.dumps(SCHEMA)
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def sent(path: str, **request: Any) -> str:
    place = addressed(path)
    assert place is not None
    return text_sent(place.wire, json.dumps(request).encode())


def test_chat_completions_have_tools_messages_calls_and_results() -> None:
    function = {"name": "look_up", "arguments": '{"word": 1}'}
    text = sent(
        "/v1/chat/completions",
        model="m",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is "}, PICTURE]},
            {"role": "assistant", "tool_calls": [{"id": "call_0_0_0", "function": function}]},
            {"role": "tool", "tool_call_id": "call_0_0_0", "content": "nothing"},
        ],
        tools=[SCHEMA],
    )
    assert text == f'[{AS_TEXT}]Be brief.What is look_up{{"word": 1}}nothing'


def test_responses_have_instructions_and_input() -> None:
    items = [
        {"role": "user", "content": "What?"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "done"},
    ]
    assert sent("/v1/responses", model="m", input=items, instructions="Hi. ") == "Hi. What?f{}done"
    assert sent("/v1/responses", model="m", input="What?") == "What?"


def test_messages_have_a_system_prompt_of_either_form() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"word": "x"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}
    messages = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    for system in ("Hi. ", [{"type": "text", "text": "Hi. "}]):
        assert sent("/v1/messages", system=system, messages=messages) == "Hi. fxdone"


@pytest.mark.parametrize("key", ["systemInstruction", "system_instruction"])
def test_contents_have_parts(key: str) -> None:
    called = {"functionCall": {"id": "call_1", "name": "f", "args": {"word": "x"}}}
    text = sent(
        "/v1/models/m:generateContent",
        contents=[{"role": "user", "parts": [{"text": "What?"}]}, {"parts": [called]}],
        **{key: {"parts": [{"text": "Hi. "}]}},
    )
    assert text == "Hi. What?fx"


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [("twelve chars", 3), (["twelve chars"], 3), ([1, 22, 333_333], 3), ([[1, 2]], 2), ("", 1)],
)
def test_a_prompt_is_a_text_or_tokens(prompt: Any, tokens: int) -> None:
    assert tokens_sent(sent("/v1/completions", prompt=prompt)) == tokens


UNDECLARED = """
name = "undeclared"
description = "Says nothing of the prompt's tokens."
sessions = 2
[model]
latency_s = 1
completion_tokens = 5
[[rounds]]
"""


def spec(text: str) -> WorldSpec:
    scenario = parse_scenario(text)
    sessions = {each.session: each for each in draw(scenario, 1).sessions}
    return WorldSpec(sessions, scenario.limits, (), "s", prefill=scenario.prefill)


def counted(text: str, prompt: str) -> tuple[int, int, int]:
    """Return the tokens that each API's official client reads for a prompt."""
    clock = VirtualClock()
    with keeping_time(clock), mocked_http(spec(text).world(clock)):
        chat = openai.OpenAI(api_key="none").chat.completions.create(
            model="m", messages=[{"role": "user", "content": prompt}]
        )
        response = openai.OpenAI(api_key="none").responses.create(model="m", input=prompt)
        message = anthropic.Anthropic(api_key="none").messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
        )
    assert chat.usage is not None
    assert response.usage is not None
    return chat.usage.prompt_tokens, response.usage.input_tokens, message.usage.input_tokens


def test_a_prompt_that_grew_is_seen_where_the_scenario_declares_no_tokens() -> None:
    tokens = len(PROMPT) // 4

    assert counted(UNDECLARED, PROMPT) == (tokens,) * 3
    assert counted(UNDECLARED, PROMPT + 40 * "word") == (len(PROMPT + 40 * "word") // 4,) * 3


def test_what_no_model_could_read_is_a_bad_request() -> None:
    deep = b'{"content": ' + b"[" * 100_000
    body = b'{"model": "m", "messages": [{"role": "user", "content": "%s", "x": %s' % (
        PROMPT.encode(),
        deep,
    )
    nested = body + b"]" * 100_000 + b"}}]}"

    reply = spec(UNDECLARED).world(VirtualClock()).model.reply("/v1/chat/completions", nested, 0)

    assert reply.reply.status == 400
    assert b"maximum recursion depth exceeded" in reply.reply.body


def test_declared_tokens_stay_as_declared() -> None:
    declared = UNDECLARED.replace("[[rounds]]", "prompt_tokens = 500\n[[rounds]]")

    assert counted(declared, PROMPT) == counted(declared, PROMPT + "more") == (500,) * 3


def test_whether_they_are_declared_changes_no_other_draw() -> None:
    jitter = "completion_tokens = { uniform = { low = 5, high = 500 } }"
    undeclared = UNDECLARED.replace("completion_tokens = 5", jitter)
    declared = undeclared.replace("[[rounds]]", "prompt_tokens = 500\n[[rounds]]")

    def completions(text: str) -> list[int]:
        sessions = draw(parse_scenario(text), 1, 20).sessions
        return [call.completion_tokens for each in sessions for call in each.model_calls]

    assert completions(undeclared) == completions(declared)


def test_a_limit_of_tokens_takes_those_that_were_counted() -> None:
    limits = "[model.limits]\ntokens_per_minute = 100\n"
    limited = UNDECLARED.replace("[[rounds]]", f"{limits}[[rounds]]")
    world = spec(limited).world(VirtualClock())
    messages = [{"role": "user", "content": PROMPT + 320 * "x"}]
    body = json.dumps({"model": "m", "messages": messages}).encode()

    statuses = [world.model.reply("/v1/chat/completions", body, 0).reply.status for _ in range(2)]

    assert statuses == [200, 429]
    assert ModelLimits(tokens_per_minute=100) == parse_scenario(limited).limits
