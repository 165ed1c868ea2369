"""The faults of the agent's ancestors, each with a test that fails on the faulty behaviour.

They are listed here in the words in which they were found; most have more tests elsewhere.
"""

import asyncio
import itertools
import json
import threading
import time
from contextvars import ContextVar
from typing import Any

import pytest
from warpbench.agent import (
    Agent,
    Conversation,
    Prompt,
    StepContext,
    TextDelta,
    ToolDefinitionError,
    Workflow,
)

from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return final(json.dumps([m["content"] for m in body["messages"]]))


def test_async_chat_ran_the_sync_client_in_threads_so_few_calls_went_at_once() -> None:
    model = Model(respond=echo, latency_s=1)

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            await asyncio.gather(*(agent.chat_async(str(n)) for n in range(500)))

    before = threading.active_count()
    assert in_virtual_time(main)[1] == 1
    assert model.peak_in_flight == 500
    assert threading.active_count() == before


def test_context_variables_were_lost_on_the_way_to_tools() -> None:
    tenant: ContextVar[str] = ContextVar("tenant")
    model = Model([calls(call("plain", "1"), call("awaited", "2")), final()])

    def plain() -> str:
        return tenant.get()

    async def awaited() -> str:
        return tenant.get()

    async def main() -> None:
        tenant.set("ada")
        async with model.async_client() as client:
            async with Agent([plain, awaited], async_client=client) as agent:
                await agent.chat_async("task")

    asyncio.run(main())
    assert model.tool_texts() == ["ada", "ada"]


def test_parallel_tools_ran_one_after_another() -> None:
    async def nap() -> None:
        await asyncio.sleep(1)

    model = Model([calls(*(call("nap", str(n)) for n in range(3))), final()])

    async def main() -> None:
        async with model.async_client() as client, Agent(nap, async_client=client) as agent:
            await agent.chat_async("task")

    assert in_virtual_time(main)[1] == 1


def test_there_was_only_one_round_and_calls_of_the_second_were_dropped() -> None:
    ran: list[int] = []
    model = Model([*(calls(call("note", x=n)) for n in range(4)), final()])

    def note(x: int) -> None:
        ran.append(x)

    with model.client() as client, Agent(note, client=client) as agent:
        assert agent.chat("task").rounds == 5
    assert ran == [0, 1, 2, 3]


def test_a_batch_shared_one_context_so_answers_leaked_across() -> None:
    async def main() -> list[Any]:
        async with Model(respond=echo).async_client() as client, Agent(async_client=client) as a:
            return await a.batch_chat_async(["ada's secret", "bob's secret"])

    assert [str(answer) for answer in asyncio.run(main())] == [
        '["ada\'s secret"]',
        '["bob\'s secret"]',
    ]


def test_async_conditions_were_never_awaited_and_so_always_true() -> None:
    async def never(context: StepContext) -> bool:
        return False

    workflow = Workflow()
    workflow.add("step", lambda context: "done", condition=never)
    assert workflow.run().skipped == ("step",)
    assert asyncio.run(workflow.arun()).skipped == ("step",)


def test_keyword_arguments_broke_the_way_through_the_executor() -> None:
    def join(*, left: str, right: str = "b") -> str:
        return left + right

    model = Model([calls(call("join", left="a"), call("join", "2", left="a", right="c")), final()])

    async def main() -> None:
        async with model.async_client() as client, Agent(join, async_client=client) as agent:
            await agent.chat_async("task")

    asyncio.run(main())
    assert model.tool_texts() == ["ab", "ac"]


def test_a_list_of_tools_registered_nothing_silently() -> None:
    def one() -> str:
        return "1"

    def two() -> str:
        return "2"

    model = Model([calls(call("one", "1"), call("two", "2")), final()])
    with model.client() as client, Agent(client=client) as agent:
        agent.register([one, two])
        agent.chat("task")
        with pytest.raises(ToolDefinitionError):
            agent.register([one, "two"])  # type: ignore[list-item]
    assert model.tool_texts() == ["1", "2"]


def test_a_sync_run_over_an_async_tool_returned_a_coroutine_as_text() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    model = Model([calls(call("answer")), final()])
    with model.client() as client, Agent(answer, client=client) as agent:
        agent.chat("task")
    assert model.tool_texts() == ["42"]


def test_streaming_blocked_the_event_loop() -> None:
    model = Model([final("a b c d")], gap_s=1)
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.5)
            ticks.append(time.monotonic())

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            ticking = asyncio.create_task(tick())
            events = [event async for event in agent.stream_async("task")]
            assert [e.text for e in events if isinstance(e, TextDelta)] == ["a ", "b ", "c ", "d"]
            ticking.cancel()

    _, seconds = in_virtual_time(main)
    assert len(ticks) >= 2 * seconds - 1
    assert seconds >= 4


def test_autonomous_mode_slept_a_second_a_round_and_looked_for_keywords() -> None:
    model = Model(
        [
            final("Task completed, finished, done!"),
            calls(call("complete_task", answer="Now it is.")),
        ]
    )

    def main() -> Any:
        with model.client() as client, Agent(client=client) as agent:
            return agent.run("task")

    result, seconds = in_virtual_time(main)
    assert (result.answer, result.iterations_used, seconds) == ("Now it is.", 2, 0)


def test_sync_code_inside_coroutines_blocked_the_loop_of_an_open_connection() -> None:
    """Plain tools, steps and conditions: none may hold up whoever shares the loop."""

    def slow(x: int = 0) -> str:
        time.sleep(10)
        return "slow"

    heartbeats: list[float] = []

    async def heart() -> None:
        while True:
            await asyncio.sleep(1)
            heartbeats.append(time.monotonic())

    async def main() -> None:
        model = Model([calls(call("slow", x=1)), final()])
        async with model.async_client() as client, Agent(slow, async_client=client) as agent:
            workflow = Workflow()
            workflow.add("plain", lambda context: slow(), condition=lambda c: bool(slow()))
            workflow.add("prompt", Prompt(agent, "{task}"), after=["plain"])
            beating = asyncio.create_task(heart())
            await workflow.arun("task")
            beating.cancel()

    _, seconds = in_virtual_time(main)
    assert seconds == 30
    gaps = [later - sooner for sooner, later in itertools.pairwise(heartbeats)]
    assert set(gaps) == {1.0}


def test_truncation_could_orphan_the_results_of_tools() -> None:
    def look() -> str:
        return "x" * 100

    asked = [calls(call("look", f"{n}a"), call("look", f"{n}b")) for n in range(6)]
    model = Model([*asked, final()])
    with model.client() as client, Agent(look, client=client, context_tokens=400) as agent:
        agent.chat("task", conversation=Conversation())
    assert len(model.bodies[-1]["messages"]) < 1 + 3 * len(asked)
    for body in model.bodies:
        called: list[str] = []
        for message in body["messages"][1:]:
            called += [c["id"] for c in message.get("tool_calls", ())]
            if message["role"] == "tool":
                assert message["tool_call_id"] == called.pop(0)
        assert called == []
