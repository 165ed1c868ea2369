"""Histories: what is kept, what is sent, and that a tool's result never loses its call."""

import asyncio
import json
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import (
    Agent,
    ContextTooLongError,
    Conversation,
    ConversationError,
    SettingsError,
    Usage,
)
from warpbench.agent.conversation.conversation import Block

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time


def text(role: str, tokens: int) -> Block:
    return Block((json.dumps({"role": role}).encode(),), tokens)


def tool_block(number: int, tokens: int) -> Block:
    ids = [f"{number}.{index}" for index in range(2)]
    asked = {"role": "assistant", "tool_calls": [{"id": id_} for id_ in ids]}
    results = [{"role": "tool", "tool_call_id": id_} for id_ in ids]
    return Block(tuple(json.dumps(m).encode() for m in (asked, *results)), tokens, tool_calls=2)


def check_is_valid(messages: list[dict[str, Any]]) -> None:
    """Check what the API demands: after calls come their results, and nowhere else."""
    while messages:
        asked, *messages = messages
        assert asked["role"] != "tool"
        for expected in asked.get("tool_calls") or ():
            result, *messages = messages
            assert result["tool_call_id"] == expected["id"]


sizes = st.integers(1, 50)
turns = st.lists(st.tuples(sizes, st.lists(sizes, max_size=3), sizes), max_size=6)


def past(shapes: list[tuple[int, list[int], int]]) -> Conversation:
    conversation = Conversation()
    for index, (asked, rounds, answered) in enumerate(shapes):
        tools = [tool_block(10 * index + i, tokens) for i, tokens in enumerate(rounds)]
        conversation.add((text("user", asked), *tools, text("assistant", answered)))
    return conversation


@given(turns, sizes, st.lists(sizes, max_size=4), st.integers(1, 400))
def test_whatever_fits_is_sent_and_is_valid(
    shapes: list[tuple[int, list[int], int]], asked: int, rounds: list[int], limit: int
) -> None:
    conversation = past(shapes)
    tools = [tool_block(1000 + i, tokens) for i, tokens in enumerate(rounds)]
    current = [text("user", asked), *tools]
    needed = asked + (rounds[-1] if rounds else 0)
    if needed > limit:
        with pytest.raises(ContextTooLongError, match=f"about {needed} tokens"):
            list(conversation.fitting(current, limit))
        return
    sent = [json.loads(message) for message in conversation.fitting(current, limit)]
    check_is_valid(sent)
    assert sent[0]["role"] == "user"
    # The current question and the last results are always there.
    assert sum(message["role"] == "user" for message in sent) >= 1
    if rounds:
        assert sent[-1]["tool_call_id"] == f"{1000 + len(rounds) - 1}.1"
    # Nothing that fits was left out: one more turn of the past would be too much.
    kept = sum(message["role"] == "user" for message in sent) - 1
    whole = sum(block.tokens for block in current)
    if whole <= limit:
        totals = [asked + sum(rounds) + answered for asked, rounds, answered in shapes]
        latest = totals[len(totals) - kept :] if kept else []
        assert whole + sum(latest) <= limit
        if kept < len(totals):
            assert whole + sum(latest) + totals[len(totals) - kept - 1] > limit


@given(turns, st.integers(0, 400))
def test_truncation_forgets_the_oldest_turns_whole(
    shapes: list[tuple[int, list[int], int]], limit: int
) -> None:
    conversation = past(shapes)
    before = conversation.summary()
    forgotten = conversation.truncate(limit)
    after = conversation.summary()
    check_is_valid(conversation.messages)
    assert after.turns == before.turns - forgotten
    assert after.tokens <= limit
    totals = [asked + sum(rounds) + answered for asked, rounds, answered in shapes]
    if forgotten:
        assert sum(totals[forgotten - 1 :]) > limit


def chatting(model: Model, **settings: Any) -> Any:
    def chat(*messages: str, conversation: Conversation) -> list[str]:
        with model.client() as client, Agent(client=client, **settings) as agent:
            return [str(a) for a in agent.sequential_chat(messages, conversation=conversation)]

    return chat


def test_a_conversation_goes_on_where_it_stood_also_with_another_agent() -> None:
    conversation = Conversation()
    model = Model([final("one"), final("two")])
    chatting(model)("first", conversation=conversation)
    chatting(model)("second", conversation=conversation)
    assert model.bodies[1]["messages"] == [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "second"},
    ]
    assert [m["content"] for m in conversation.messages] == ["first", "one", "second", "two"]


def test_its_summary_counts() -> None:
    def double(x: int) -> int:
        """Double."""
        return 2 * x

    conversation = Conversation()
    model = Model([calls(call("double", "1", x=1), call("double", "2", x=2)), final("2 and 4")])
    chatting(model, tools=double)("Double 1 and 2.", conversation=conversation)
    summary = conversation.summary()
    assert (summary.turns, summary.messages, summary.tool_calls) == (1, 5, 2)
    assert summary.usage == Usage(20, 4)
    assert str(summary) == f"1 turns, 5 messages, 2 tool calls, about {summary.tokens} tokens"
    conversation.clear()
    assert conversation.messages == []
    assert conversation.summary().usage == Usage(20, 4)


def test_without_a_conversation_each_chat_stands_alone() -> None:
    model = Model([final("one"), final("two")])
    with model.client() as client, Agent(client=client) as agent:
        agent.chat("first")
        agent.chat("second")
    assert [len(body["messages"]) for body in model.bodies] == [1, 1]


def test_what_does_not_fit_is_not_sent_but_stays_in_the_conversation() -> None:
    conversation = Conversation()
    model = Model([final(str(index)) for index in range(20)])
    chat = chatting(model, context_tokens=100, instructions="Be brief.", count_tokens=len)
    with pytest.raises(ContextTooLongError, match="context_tokens leaves"):
        chat("x" * 100, conversation=conversation)
    chatting(model, context_tokens=300, count_tokens=len, instructions="Be brief.")(
        *map(str, range(9)), conversation=conversation
    )
    assert len(conversation.messages) == 18
    sent = model.bodies[-1]["messages"]
    assert sent[0] == {"role": "system", "content": "Be brief."}
    assert 3 < len(sent) < 10
    assert len(model.requests[-1].content) <= 300


def test_two_turns_at_once_are_refused_instead_of_mixed() -> None:
    model = Model([final("one"), final("two")], latency_s=1)

    async def main() -> list[Any]:
        conversation = Conversation()
        async with model.async_client() as client, Agent(async_client=client) as agent:
            chats = [agent.chat_async(m, conversation=conversation) for m in ("a", "b")]
            return await asyncio.gather(*chats, return_exceptions=True)

    (first, second), _ = in_virtual_time(main)
    assert str(first) == "one"
    assert isinstance(second, ConversationError)
    assert "in the middle of a turn" in str(second)


def test_nor_is_it_cleared_under_a_turn() -> None:
    conversation = Conversation()
    with conversation.in_use(), pytest.raises(ConversationError):
        conversation.clear()
    conversation.clear()


@pytest.mark.parametrize("how", ["error", "cancelled", "streamed"])
def test_a_turn_that_ends_early_leaves_the_conversation_as_it_was(how: str) -> None:
    async def slow(x: int) -> int:
        await asyncio.sleep(x)
        return x

    refused = sdk_http.Response(400, json={"error": {"message": "no"}})
    last: Any = refused if how == "error" else final("never read")
    model = Model([final("one"), calls(call("slow", x=5)), last, final("two")])
    conversation = Conversation()

    async def main() -> None:
        async with model.async_client() as client, Agent(slow, async_client=client) as agent:
            await agent.chat_async("first", conversation=conversation)
            before = conversation.messages
            if how == "error":
                with pytest.raises(openai.BadRequestError):
                    await agent.chat_async("second", conversation=conversation)
            elif how == "cancelled":
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await agent.chat_async("second", conversation=conversation)
                model.requests.append(model.requests[-1])
            else:
                async with agent.stream_async("second", conversation=conversation) as events:
                    await anext(events)
                model.requests.append(model.requests[-1])
            assert conversation.messages == before
            await agent.chat_async("third", conversation=conversation)
            assert [m["content"] for m in conversation.messages][-2:] == ["third", "two"]

    in_virtual_time(main)


def test_a_context_of_no_tokens_is_refused() -> None:
    with pytest.raises(SettingsError, match="context_tokens is 0"):
        Agent(context_tokens=0)
