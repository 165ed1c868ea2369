"""Whatever tools do and whenever it is cancelled: histories stay valid and nothing is left."""

import asyncio
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warpbench.agent import Agent, AgentError, Conversation, Limiter, RetryPolicy, Tool

from ..http_libraries import sdk_http
from .scripted import Model, call, calls, final
from .virtual import in_virtual_time

OPEN_FILES = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(
    not OPEN_FILES.is_dir(), reason="open files are counted in /proc, which this system lacks"
)


async def nap(seconds: int) -> int:
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.sleep(0.25)
    return seconds


def doze(seconds: int) -> int:
    time.sleep(seconds)
    return seconds


async def fail(seconds: int) -> None:
    await asyncio.sleep(seconds)
    raise LookupError(seconds)


def crash(seconds: int) -> None:
    time.sleep(seconds)
    raise OSError(seconds)


@dataclass(frozen=True)
class Chat:
    rounds: list[list[tuple[str, int]]]
    end: str
    streamed: bool
    cancelled_after_s: float | None


tool_calls = st.lists(
    st.tuples(st.sampled_from(["nap", "doze", "fail", "crash", "nowhere"]), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)
chats = st.builds(
    Chat,
    st.lists(tool_calls, max_size=3),
    st.sampled_from(["text", "refused", "busy", "broken"]),
    st.booleans(),
    st.none() | st.integers(0, 30).map(lambda quarters: quarters / 4),
)


@dataclass(frozen=True)
class World:
    chats: list[Chat]
    tool_limit: int | None
    model_limit: int
    timeout_s: int | None
    critical: bool
    workers: int


worlds = st.builds(
    World,
    st.lists(chats, min_size=1, max_size=4),
    st.none() | st.integers(1, 3),
    st.integers(1, 2),
    st.none() | st.integers(1, 2),
    st.booleans(),
    st.integers(1, 3),
)


def model_of(chat: Chat) -> Model:
    replies: list[Any] = [
        calls(*(call(name, f"{r}.{i}", seconds=s) for i, (name, s) in enumerate(asked)))
        for r, asked in enumerate(chat.rounds)
    ]
    ends: dict[str, list[Any]] = {
        "text": [final()],
        "refused": [sdk_http.Response(400, json={})],
        "busy": [sdk_http.Response(429, headers={"retry-after": "2"}, json={}), final()],
        "broken": [sdk_http.ConnectError("lost"), {"choices": []}],
    }
    if chat.streamed and chat.end == "broken":
        return Model([*replies, sdk_http.Response(200, text="")], latency_s=0.5, gap_s=0.25)
    return Model([*replies, *ends[chat.end]], latency_s=0.5, gap_s=0.25)


def check_valid(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
        else:
            assert waiting == []
            waiting = [asked["id"] for asked in message.get("tool_calls") or ()]
    assert waiting == []


def open_files() -> int:
    return len(list(OPEN_FILES.iterdir()))


async def one_chat(chat: Chat, world: World, limiter: Limiter, conversation: Conversation) -> None:
    model = model_of(chat)
    tools = [
        Tool.from_function(f, timeout_s=world.timeout_s, max_parallel=2) for f in (nap, doze, fail)
    ]
    tools.append(Tool.from_function(crash, critical=world.critical))
    before = conversation.messages
    async with (
        model.async_client() as client,
        Agent(
            tools,
            async_client=client,
            tool_workers=world.workers,
            max_parallel_tools=world.tool_limit,
            limiter=limiter,
            retry=RetryPolicy(jitter=0),
        ) as agent,
    ):
        succeeded = False
        try:
            async with asyncio.timeout(chat.cancelled_after_s):
                if chat.streamed:
                    async with agent.stream_async("task", conversation=conversation) as stream:
                        async for _ in stream:
                            pass
                else:
                    await agent.chat_async("task", conversation=conversation)
            succeeded = True
        except (TimeoutError, AgentError, openai.APIError):
            assert conversation.messages == before
        assert succeeded == (len(conversation.messages) > len(before))
        for body in model.bodies:
            check_valid(body["messages"])
        check_valid(conversation.messages)
    assert model.in_flight == 0


def examples(number: int) -> settings:
    return settings(
        max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


@examples(20)
@given(worlds)
def test_side_by_side_in_an_event_loop(world: World) -> None:
    """The slow suite tries more, here and below."""
    check_side_by_side(world)


def check_side_by_side(world: World) -> None:
    limiter = Limiter(world.model_limit)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for chat in world.chats:
                group.create_task(one_chat(chat, world, limiter, Conversation()))
        # What the HTTP client leaves to the loop to finalise is over in a few rounds.
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for _ in range(world.model_limit):
            await asyncio.wait_for(limiter.acquire_async(), timeout=1)

    threads, files = threading.active_count(), open_files()
    in_virtual_time(main)
    assert threading.active_count() == threads
    assert open_files() == files


@examples(10)
@given(worlds)
def test_one_after_another_in_one_conversation(world: World) -> None:
    check_one_after_another(world)


def check_one_after_another(world: World) -> None:
    conversation = Conversation()

    async def main() -> None:
        limiter = Limiter(world.model_limit)
        for chat in world.chats:
            await one_chat(chat, world, limiter, conversation)

    threads, files = threading.active_count(), open_files()
    in_virtual_time(main)
    check_valid(conversation.messages)
    assert threading.active_count() == threads
    assert open_files() == files


session_timeouts_s = st.none() | st.integers(1, 8)


@examples(10)
@given(worlds, session_timeouts_s)
def test_in_threads(world: World, session_timeout_s: int | None) -> None:
    check_in_threads(world, session_timeout_s)


def check_in_threads(world: World, session_timeout_s: int | None) -> None:
    def main() -> None:
        for chat in world.chats:
            model = model_of(chat)
            with (
                model.client() as client,
                Agent(
                    [nap, doze, fail, Tool.from_function(crash, critical=world.critical)],
                    client=client,
                    tool_workers=world.workers,
                    max_parallel_tools=world.tool_limit,
                    session_timeout_s=session_timeout_s,
                    retry=RetryPolicy(jitter=0),
                ) as agent,
            ):
                conversation = Conversation()
                try:
                    if chat.streamed:
                        with agent.stream("task", conversation=conversation) as stream:
                            for _ in stream:
                                pass
                    else:
                        agent.chat("task", conversation=conversation)
                except (AgentError, openai.APIError):
                    assert conversation.messages == []
                for body in model.bodies:
                    check_valid(body["messages"])
                check_valid(conversation.messages)

    threads, files = threading.active_count(), open_files()
    in_virtual_time(main)
    assert threading.active_count() == threads
    assert open_files() == files
