"""Each API of the model, held against the official SDK of that API, sync and async."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.model import ScriptedModel
from warpbench.mocks.scenario.distributions import Uniform
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.workload.script import Gaps, ModelCallScript, SessionScript, piece_times_ns

from ..mocked import LOOK_UP, MS, PROMPT, SCHEMA, Mocked, call

USER: list[Any] = [{"role": "user", "content": PROMPT}]
CHAT_TOOL: Any = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
RESPONSES_TOOL: Any = {
    "type": "function",
    "name": "look_up",
    "parameters": SCHEMA,
    "strict": False,
}
MESSAGES_TOOL: Any = {"name": "look_up", "description": "…", "input_schema": SCHEMA}
ASKS = ModelCallScript(1000 * MS, 11, 22, (LOOK_UP, LOOK_UP), ttft_ns=200 * MS, pieces=22)
STREAMED = call(1000, ttft_ns=200 * MS, pieces=5)
JITTERED = call(1000, ttft_ns=200 * MS, pieces=5, gaps=Gaps(Uniform(0.01, 0.3), "any seed"))
LOOPS = pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])

TICKETS = [
    {"word": "time", "ticket": "0.0.0"},
    {"word": "time", "ticket": "0.0.1"},
]


def openai_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="none", _strict_response_validation=True)


def openai_async() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="none", _strict_response_validation=True)


def anthropic_client() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="none", _strict_response_validation=True)


def anthropic_async() -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="none", _strict_response_validation=True)


class TestChatCompletions:
    def test_a_whole_answer(self) -> None:
        mocked = Mocked(call(1000))

        completion = mocked.run(
            lambda: openai_client().chat.completions.create(model="m", messages=USER)
        )

        assert completion.choices[0].finish_reason == "stop"
        assert completion.choices[0].message.content == "lorem ipsum dolor si"
        assert completion.usage is not None
        assert completion.usage.total_tokens == 16
        assert mocked.now_s == 1

    def test_tool_calls_and_what_follows_them(self) -> None:
        mocked = Mocked(ASKS, call(500))

        def converse() -> Any:
            client = openai_client()
            messages = list(USER)
            first = client.chat.completions.create(model="m", messages=messages, tools=[CHAT_TOOL])
            calls: Any = first.choices[0].message.tool_calls
            messages.append(first.choices[0].message)
            messages += [{"role": "tool", "tool_call_id": c.id, "content": "ok"} for c in calls]
            return calls, client.chat.completions.create(
                model="m", messages=messages, tools=[CHAT_TOOL]
            )

        calls, last = mocked.run(converse)

        assert [json.loads(c.function.arguments) for c in calls] == TICKETS
        assert last.choices[0].message.content
        assert mocked.now_s == 1.5

    def test_a_streamed_answer_is_the_whole_one_in_pieces(self) -> None:
        mocked = Mocked(STREAMED)

        def stream() -> Any:
            chunks = openai_client().chat.completions.create(
                model="m", messages=USER, stream=True, stream_options={"include_usage": True}
            )
            return [(mocked.now_s, chunk) for chunk in chunks]

        chunks = mocked.run(stream)

        texts = [(at_s, c.choices[0].delta.content) for at_s, c in chunks if c.choices]
        spoken = [(at_s, text) for at_s, text in texts if text]
        assert "".join(text for _, text in spoken) == "lorem ipsum dolor si"
        assert [at_s for at_s, _ in spoken] == [0.2, 0.4, 0.6, 0.8, 1.0]
        assert chunks[-2][1].choices[0].finish_reason == "stop"
        assert chunks[-1][1].usage.total_tokens == 16
        assert all(chunk.usage is None for _, chunk in chunks[:-1])

    def test_a_stream_that_comes_at_one_time_is_truncated_as_if_it_were_complete(self) -> None:
        cut = Fault(FaultKind.TRUNCATED, share=0.5)
        mocked = Mocked(replace(call(1000), faults=(cut,)))

        def stream() -> Any:
            return list(
                openai_client().chat.completions.create(model="m", messages=USER, stream=True)
            )

        chunks = mocked.run(stream)

        assert chunks
        assert not any(chunk.choices[0].finish_reason for chunk in chunks)

    def test_without_usage_asked_for_none_is_sent(self) -> None:
        def stream() -> Any:
            chunks = openai_client().chat.completions.create(model="m", messages=USER, stream=True)
            return list(chunks)

        assert all("usage" not in chunk.model_fields_set for chunk in Mocked(STREAMED).run(stream))

    def test_streamed_tool_calls_come_in_fragments_of_their_arguments(self) -> None:
        def stream() -> Any:
            with openai_client().chat.completions.stream(
                model="m", messages=USER, tools=[CHAT_TOOL]
            ) as events:
                fragments = [
                    event.arguments_delta
                    for event in events
                    if event.type == "tool_calls.function.arguments.delta"
                ]
                return fragments, events.get_final_completion()

        fragments, completion = Mocked(ASKS).run(stream)

        assert len(fragments) > 10
        calls = completion.choices[0].message.tool_calls
        assert [json.loads(c.function.arguments) for c in calls] == TICKETS
        assert [c.id for c in calls] == ["call_0_0_0", "call_0_0_1"]

    @LOOPS
    def test_async_clients_see_the_drawn_times_exactly(self, new_loop: Any) -> None:
        mocked = Mocked(JITTERED)

        async def stream() -> list[int]:
            chunks = await openai_async().chat.completions.create(
                model="m", messages=USER, stream=True
            )
            return [
                mocked.clock.now_ns()
                async for chunk in chunks
                if chunk.choices and chunk.choices[0].delta.content
            ]

        seen_ns = mocked.run_async(stream, new_loop)

        assert seen_ns == piece_times_ns(JITTERED)
        assert len({b - a for a, b in itertools.pairwise(seen_ns)}) == 4


def test_an_answer_says_what_its_request_is_called() -> None:
    def ask() -> list[str | None]:
        whole = openai_client().chat.completions.create(model="m", messages=USER)
        answer = openai_client().responses.create(model="m", input=PROMPT)
        message = anthropic_client().messages.create(model="m", messages=USER, max_tokens=9)
        return [whole._request_id, answer._request_id, message._request_id]

    assert Mocked(call(1000)).run(ask) == ["req_0_0"] * 3


def test_so_does_an_error() -> None:
    failing = replace(call(1000), faults=(Fault(FaultKind.STATUS, status=500),) * 2)

    def ask() -> list[str | None]:
        with pytest.raises(openai.InternalServerError) as of_openai:
            openai_client().with_options(max_retries=0).chat.completions.create(
                model="m", messages=USER
            )
        with pytest.raises(anthropic.InternalServerError) as of_anthropic:
            anthropic_client().with_options(max_retries=0).messages.create(
                model="m", messages=USER, max_tokens=9
            )
        return [of_openai.value.request_id, of_anthropic.value.request_id]

    assert Mocked(failing).run(ask) == ["req_0_0"] * 2


def test_usage_has_the_details_that_clients_read() -> None:
    def ask() -> tuple[Any, Any]:
        whole = openai_client().chat.completions.create(model="m", messages=USER)
        message = anthropic_client().messages.create(model="m", messages=USER, max_tokens=9)
        return whole.usage, message.usage

    usage, of_message = Mocked(call(1000)).run(ask)

    assert usage.prompt_tokens_details.cached_tokens == 0
    assert usage.completion_tokens_details.reasoning_tokens == 0
    assert (of_message.cache_read_input_tokens, of_message.cache_creation_input_tokens) == (0, 0)


class TestResponses:
    def test_a_whole_answer(self) -> None:
        mocked = Mocked(call(1000))

        response = mocked.run(lambda: openai_client().responses.create(model="m", input=PROMPT))

        assert response.output_text == "lorem ipsum dolor si"
        assert response.usage is not None
        assert (response.usage.input_tokens, response.usage.output_tokens) == (11, 5)
        assert mocked.now_s == 1

    @pytest.mark.parametrize("by_reference", [False, True])
    def test_tool_calls_and_what_follows_them(self, by_reference: bool) -> None:
        mocked = Mocked(ASKS, call(500))

        def converse() -> Any:
            client = openai_client()
            first = client.responses.create(model="m", input=USER, tools=[RESPONSES_TOOL])
            results: list[Any] = [
                {"type": "function_call_output", "call_id": item.call_id, "output": "ok"}
                for item in first.output
                if item.type == "function_call"
            ]
            if by_reference:
                last = client.responses.create(
                    model="m", previous_response_id=first.id, input=results, tools=[RESPONSES_TOOL]
                )
            else:
                said: list[Any] = [item.model_dump() for item in first.output]
                last = client.responses.create(
                    model="m", input=[*USER, *said, *results], tools=[RESPONSES_TOOL]
                )
            return first, last

        first, last = mocked.run(converse)

        assert [json.loads(item.arguments) for item in first.output] == TICKETS
        assert last.output_text
        assert mocked.now_s == 1.5

    def test_a_streamed_answer_is_the_whole_one_in_pieces(self) -> None:
        mocked = Mocked(STREAMED)

        def stream() -> Any:
            events = openai_client().responses.create(model="m", input=PROMPT, stream=True)
            return [(mocked.now_s, event) for event in events]

        events = mocked.run(stream)

        deltas = [(at, e.delta) for at, e in events if e.type == "response.output_text.delta"]
        assert [at for at, _ in deltas] == [0.2, 0.4, 0.6, 0.8, 1.0]
        assert [event.sequence_number for _, event in events] == list(range(len(events)))
        completed = events[-1][1]
        assert completed.type == "response.completed"
        assert completed.response.output_text == "".join(text for _, text in deltas)

    def test_streamed_tool_calls_add_up(self) -> None:
        def stream() -> Any:
            with openai_client().responses.stream(
                model="m", input=PROMPT, tools=[RESPONSES_TOOL]
            ) as events:
                for _ in events:
                    pass
                return events.get_final_response()

        response = Mocked(ASKS).run(stream)

        assert [json.loads(item.arguments) for item in response.output] == TICKETS

    @LOOPS
    def test_async_clients_see_the_drawn_times_exactly(self, new_loop: Any) -> None:
        mocked = Mocked(JITTERED)

        async def stream() -> list[int]:
            events = await openai_async().responses.create(model="m", input=PROMPT, stream=True)
            return [
                mocked.clock.now_ns()
                async for event in events
                if event.type == "response.output_text.delta"
            ]

        assert mocked.run_async(stream, new_loop) == piece_times_ns(JITTERED)


class TestMessages:
    def test_a_whole_answer(self) -> None:
        mocked = Mocked(call(1000))

        message = mocked.run(
            lambda: anthropic_client().messages.create(model="m", messages=USER, max_tokens=99)
        )

        assert message.content[0].type == "text"
        assert message.content[0].text == "lorem ipsum dolor si"
        assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 5)
        assert message.stop_reason == "end_turn"
        assert mocked.now_s == 1

    def test_tool_calls_and_what_follows_them(self) -> None:
        mocked = Mocked(ASKS, call(500))

        def converse() -> Any:
            client = anthropic_client()
            messages = list(USER)
            options: Any = {"model": "m", "max_tokens": 99, "tools": [MESSAGES_TOOL]}
            first = client.messages.create(messages=messages, **options)
            messages.append({"role": "assistant", "content": first.content})
            results = [
                {"type": "tool_result", "tool_use_id": block.id, "content": "ok"}
                for block in first.content
            ]
            messages.append({"role": "user", "content": results})
            return first, client.messages.create(messages=messages, **options)

        first, last = mocked.run(converse)

        assert [block.input for block in first.content] == TICKETS
        assert first.stop_reason == "tool_use"
        assert last.content[0].text
        assert mocked.now_s == 1.5

    @pytest.mark.parametrize("asked", [STREAMED, ASKS], ids=["text", "tools"])
    def test_a_streamed_answer_is_the_whole_one_in_pieces(self, asked: ModelCallScript) -> None:
        options: Any = {"model": "m", "max_tokens": 99, "tools": [MESSAGES_TOOL], "messages": USER}

        def stream() -> Any:
            with anthropic_client().messages.stream(**options) as events:
                for _ in events:
                    pass
                return events.get_final_message()

        streamed = Mocked(asked).run(stream)
        whole = Mocked(asked).run(lambda: anthropic_client().messages.create(**options))

        assert streamed.model_dump(exclude_none=True) == whole.model_dump(exclude_none=True)

    @LOOPS
    def test_async_clients_see_the_drawn_times_exactly(self, new_loop: Any) -> None:
        mocked = Mocked(JITTERED)

        async def stream() -> list[int]:
            events = await anthropic_async().messages.create(
                model="m", messages=USER, max_tokens=99, stream=True
            )
            return [
                mocked.clock.now_ns()
                async for event in events
                if event.type == "content_block_delta"
            ]

        assert mocked.run_async(stream, new_loop) == piece_times_ns(JITTERED)


def unknown_fields(value: Any) -> set[str]:
    """Names of the fields, at any depth, that the SDK's types do not have."""
    if isinstance(value, list):
        return set().union(*map(unknown_fields, value))
    if not isinstance(value, BaseModel):
        return set()
    inner = (unknown_fields(getattr(value, name)) for name in type(value).model_fields)
    return set(value.model_extra or ()).union(*inner)


OPENAI_OPTIONS: Any = {"model": "m", "messages": USER, "tools": [CHAT_TOOL]}
RESPONSES_OPTIONS: Any = {"model": "m", "input": PROMPT, "tools": [RESPONSES_TOOL]}
MESSAGES_OPTIONS: Any = {**OPENAI_OPTIONS, "max_tokens": 99, "tools": [MESSAGES_TOOL]}


@pytest.mark.parametrize("asked", [STREAMED, ASKS], ids=["text", "tools"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda **more: openai_client().chat.completions.create(**OPENAI_OPTIONS, **more),
        lambda **more: openai_client().responses.create(**RESPONSES_OPTIONS, **more),
        lambda **more: anthropic_client().messages.create(**MESSAGES_OPTIONS, **more),
    ],
    ids=["chat completions", "responses", "messages"],
)
def test_only_fields_that_the_api_has_are_sent(
    ask: Callable[..., Any], streamed: bool, asked: ModelCallScript
) -> None:
    answers = Mocked(asked).run(lambda: list(ask(stream=True)) if streamed else [ask()])

    assert answers
    assert unknown_fields(answers) == set()


ASK: dict[str, Callable[[], Any]] = {
    "chat completions": lambda: openai_client().chat.completions.create(model="m", messages=USER),
    "responses": lambda: openai_client().responses.create(model="m", input=PROMPT),
    "messages": lambda: anthropic_client().messages.create(model="m", messages=USER, max_tokens=99),
}


SERVERS_OWN_TOOLS: list[tuple[str, Any]] = [
    ("/v1/chat/completions", {"type": "custom", "custom": {"name": "grammar"}}),
    ("/v1/responses", {"type": "web_search"}),
    ("/v1/responses", {"type": "tool_search", "parameters": True}),
    ("/v1/messages", {"type": "web_search_20260209", "name": "web_search"}),
    ("/v1/messages", {"type": "mcp_toolset", "mcp_server_name": "files"}),
]


@pytest.mark.parametrize(("path", "tool"), SERVERS_OWN_TOOLS)
def test_tools_of_the_servers_own_may_be_declared_and_are_not_called(path: str, tool: Any) -> None:
    conversation = {"input": USER} if path == "/v1/responses" else {"messages": USER}
    request = {"model": "m", "tools": [tool], **conversation}
    model = ScriptedModel({0: SessionScript(0, (ASKS,))})

    reply = model.reply(path, json.dumps(request).encode(), 0).reply

    assert reply.status == 200
    assert b"look_up" not in reply.body


@pytest.mark.parametrize("tool", [{"type": "function"}, RESPONSES_TOOL | {"parameters": "text"}])
def test_a_function_of_responses_without_name_or_schema_is_a_bad_request(tool: Any) -> None:
    request = {"model": "m", "input": USER, "tools": [tool]}
    model = ScriptedModel({0: SessionScript(0, (ASKS,))})

    reply = model.reply("/v1/responses", json.dumps(request).encode(), 0).reply

    assert reply.status == 400
    assert b"a function has a `name` and `parameters`" in reply.body
