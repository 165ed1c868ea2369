"""Streams: what comes when, and that leaving early leaves nothing open."""

import asyncio
import gc
import json
import time
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import (
    Agent,
    Answer,
    Conversation,
    ConversationError,
    Finished,
    Limiter,
    ModelAnswerError,
    RetryPolicy,
    SessionTimeoutError,
    TextDelta,
    ToolEnded,
    ToolStarted,
    Usage,
)
from warpbench.agent.conversation.stream_assembly import AnswerAssembly
from warpbench.agent.conversation.wire import parse_answer
from warpbench.agent.messages import ToolCall, ToolResult

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, completion, final, pieces
from ..virtual import in_virtual_time, on_each_loop


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "rested"


def asked() -> list[Any]:
    return [
        calls(call("nap", "1", seconds=2), call("nap", "2", seconds=1), content="Let me rest."),
        final("All is well now."),
    ]


EVENTS = [
    TextDelta("Let "),
    TextDelta("me "),
    TextDelta("rest."),
    ToolStarted(call("nap", "1", seconds=2)),
    ToolStarted(call("nap", "2", seconds=1)),
    ToolEnded(call("nap", "1", seconds=2), ToolResult("1", "rested")),
    ToolEnded(call("nap", "2", seconds=1), ToolResult("2", "rested")),
    TextDelta("All "),
    TextDelta("is "),
    TextDelta("well "),
    TextDelta("now."),
    Finished(Answer("All is well now.", 2, Usage(20, 4), "stop")),
]


@on_each_loop
def test_events_come_in_order_and_tools_run_at_once(loop: str) -> None:
    model = Model(asked(), latency_s=1)
    conversation = Conversation()

    async def main() -> list[Any]:
        async with model.async_client() as client, Agent(nap, async_client=client) as agent:
            async with agent.stream_async("task", conversation=conversation) as stream:
                events = [event async for event in stream]
            assert stream.answer.text == "All is well now."
            return events

    assert in_virtual_time(main, loop) == (EVENTS, 1 + 2 + 1)
    assert [m["role"] for m in conversation.messages] == [
        *("user", "assistant", "tool", "tool", "assistant"),
    ]


def test_its_sync_twin_gives_the_same_events() -> None:
    model = Model(asked(), latency_s=1)

    def main() -> list[Any]:
        with model.client() as client, Agent(nap, client=client) as agent:
            with agent.stream("task") as stream:
                events = list(stream)
            assert stream.answer.text == "All is well now."
            return events

    assert in_virtual_time(main) == (EVENTS, 1 + 2 + 1)


@on_each_loop
def test_text_is_told_as_it_comes_and_not_at_the_end(loop: str) -> None:
    model = Model([final("a b c")], latency_s=1, gap_s=0.5)

    async def main() -> list[tuple[float, str]]:
        begin_s = time.monotonic()
        async with model.async_client() as client, Agent(async_client=client) as agent:
            return [
                (time.monotonic() - begin_s, event.text)
                async for event in agent.stream_async("task")
                if isinstance(event, TextDelta)
            ]

    assert in_virtual_time(main, loop)[0] == [(1.5, "a "), (2.0, "b "), (2.5, "c")]


def test_closing_early_closes_the_connection_and_gives_back_the_slot() -> None:
    limiter = Limiter(1)
    model = Model([final("a b c d e")] * 3)

    async def main() -> None:
        async with (
            model.async_client() as client,
            Agent(async_client=client, limiter=limiter) as agent,
        ):
            for number in (1, 2):
                async with agent.stream_async("task") as stream:
                    assert await anext(stream) == TextDelta("a ")
                    assert model.closed_streams == number - 1
                assert model.closed_streams == number
            with pytest.raises(ConversationError, match="not read to its end"):
                _ = stream.answer
            gc.collect()
            # What the HTTP client leaves to the loop to finalise is over in a few rounds.
            for _ in range(10):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_closing_a_sync_stream_early_closes_the_connection() -> None:
    limiter = Limiter(1)
    model = Model([final("a b c d e")] * 3)
    with model.client() as client, Agent(client=client, limiter=limiter) as agent:
        for number in (1, 2):
            with agent.stream("task") as stream:
                assert next(stream) == TextDelta("a ")
            assert model.closed_streams == number


@on_each_loop
def test_a_cancelled_stream_closes_the_connection(loop: str) -> None:
    model = Model([final("a b c d e")], gap_s=1)

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5), agent.stream_async("task") as stream:
                    async for _ in stream:
                        pass
            assert model.closed_streams == 1

    assert in_virtual_time(main, loop)[1] == 2.5


def test_a_failure_is_tried_again_until_the_first_piece() -> None:
    busy = sdk_http.Response(429, headers={"retry-after": "2"}, json={})
    model = Model([busy, final("done")])

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            async with agent.stream_async("task") as stream:
                assert await anext(stream) == TextDelta("done")

    assert in_virtual_time(main)[1] == 2.0


def test_a_stream_that_breaks_off_is_an_error_and_leaves_no_trace() -> None:
    whole = b"".join(
        b"data: %s\n\n" % json.dumps(piece).encode() for piece in list(pieces(final("a b c")))[:2]
    )
    headers = {"content-type": "text/event-stream"}
    model = Model([sdk_http.Response(200, headers=headers, content=whole)])
    conversation = Conversation()
    with (
        model.client() as client,
        Agent(client=client) as agent,
        agent.stream("task", conversation=conversation) as stream,
        pytest.raises(ModelAnswerError, match=r"without a finish_reason: .* 2 characters"),
    ):
        list(stream)
    assert conversation.messages == []


def test_an_error_in_the_stream_is_the_sdks() -> None:
    event = b'data: {"error": {"message": "overloaded"}}\n\n'
    headers = {"content-type": "text/event-stream"}
    model = Model([sdk_http.Response(200, headers=headers, content=event)])
    with (
        model.client() as client,
        Agent(client=client, retry=RetryPolicy(max_retries=0)) as agent,
        agent.stream("task") as stream,
        pytest.raises(openai.APIError, match="overloaded"),
    ):
        list(stream)


@on_each_loop
def test_deadlines_hold_in_streams(loop: str) -> None:
    async def main() -> None:
        model = Model([final("a b c d e")], gap_s=1)
        async with model.async_client() as client:
            async with Agent(async_client=client, session_timeout_s=2.5) as agent:
                with pytest.raises(SessionTimeoutError, match=r"longer than 2.5 seconds"):
                    async with agent.stream_async("task") as stream:
                        [event async for event in stream]
            assert model.closed_streams == 1
            model.requests.clear()
            async with Agent(async_client=client, call_timeout_s=1.5) as agent:
                with pytest.raises(openai.APITimeoutError):
                    async with agent.stream_async("task") as stream:
                        [event async for event in stream]
            assert model.closed_streams == 2

    assert in_virtual_time(main, loop)[1] == 4.0


def test_a_deadline_does_not_strike_the_consumers_own_waits() -> None:
    async def main() -> None:
        model = Model([final("a b")], gap_s=0.1)
        async with model.async_client() as client:
            async with Agent(async_client=client, session_timeout_s=1) as agent:
                async with agent.stream_async("task") as stream:
                    await anext(stream)
                    # Slow, but not cancelled: the stream hears of it when it is asked again.
                    await asyncio.sleep(5)
                    with pytest.raises(SessionTimeoutError):
                        [event async for event in stream]

    in_virtual_time(main)


texts = st.none() | st.text(min_size=1, max_size=20)
tool_calls = st.lists(
    st.tuples(st.text("ab_", min_size=1, max_size=5), st.text(max_size=20)), max_size=3
).map(lambda pairs: [ToolCall(str(i), name, args) for i, (name, args) in enumerate(pairs)])


@given(texts, tool_calls)
def test_the_pieces_make_the_same_answer_as_the_whole(
    text: str | None, asked: list[ToolCall]
) -> None:
    whole = calls(*asked, content=text) if asked else completion({"content": text}, "stop")
    assembly = AnswerAssembly()
    told = "".join(part for piece in pieces(whole) for part in assembly.feed(piece))
    assert assembly.answer() == parse_answer(json.dumps(whole).encode())
    assert told == (text or "")


@pytest.mark.parametrize(
    "chunk",
    [
        [],
        {"choices": [1]},
        {"choices": [{"delta": 1}]},
        {"choices": [{"delta": {"tool_calls": [1]}}]},
        {"choices": [{"delta": {"content": 1}}]},
        {"choices": 1},
    ],
)
def test_a_malformed_piece_is_an_error_that_names_it(chunk: Any) -> None:
    with pytest.raises(ModelAnswerError, match="a streamed chunk"):
        list(AnswerAssembly().feed(chunk))
