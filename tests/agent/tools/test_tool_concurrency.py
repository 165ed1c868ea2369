"""Tools of one answer: at once, within limits, each in its time. In virtual time, exactly."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest
from warpbench.agent import Agent, Tool, ToolFailedError, tool

from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time, on_each_loop


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"async {seconds:g}"


def doze(seconds: float) -> str:
    time.sleep(seconds)
    return f"plain {seconds:g}"


def chat_async(model: Model, *tools: Any, **settings: Any) -> Callable[[], Any]:
    """One chat with these tools, as a coroutine function that also closes everything."""

    async def main() -> Any:
        async with (
            model.async_client() as client,
            Agent(tools, async_client=client, **settings) as agent,
        ):
            return await agent.chat_async("task")

    return main


def chat(model: Model, *tools: Any, **settings: Any) -> Callable[[], Any]:
    def main() -> Any:
        with model.client() as client, Agent(tools, client=client, **settings) as agent:
            return agent.chat("task")

    return main


def finish(result: Any) -> None:
    if asyncio.iscoroutine(result):
        asyncio.run(result)


def asks(*named: tuple[str, float]) -> Model:
    asked = [call(name, str(i), seconds=seconds) for i, (name, seconds) in enumerate(named)]
    return Model([calls(*asked), final()])


ALIKE = [("nap", 1.0), ("nap", 1.0), ("doze", 1.0)]


@on_each_loop
def test_three_tools_of_one_second_take_exactly_one_second(loop: str) -> None:
    model = asks(*ALIKE)
    _, seconds = in_virtual_time(chat_async(model, nap, doze), loop)
    assert seconds == 1.0
    assert model.tool_texts() == ["async 1", "async 1", "plain 1"]


def test_they_do_so_in_threads_too() -> None:
    model = asks(*ALIKE)
    _, seconds = in_virtual_time(chat(model, nap, doze, tool_workers=3))
    assert seconds == 1.0
    assert model.tool_texts() == ["async 1", "async 1", "plain 1"]


def test_the_calling_thread_counts_as_a_worker() -> None:
    _, seconds = in_virtual_time(chat(asks(*ALIKE), nap, doze, tool_workers=2))
    assert seconds == 1.0


@on_each_loop
def test_results_keep_the_order_of_calls_however_long_each_takes(loop: str) -> None:
    model = asks(("nap", 3), ("doze", 2), ("nap", 1))
    _, seconds = in_virtual_time(chat_async(model, nap, doze), loop)
    assert seconds == 3.0
    assert model.tool_texts() == ["async 3", "plain 2", "async 1"]


@on_each_loop
@pytest.mark.parametrize(("limit", "expected_s"), [(1, 6.0), (2, 3.0), (3, 2.0), (6, 1.0)])
def test_an_agents_limit_bounds_all_of_its_tools(loop: str, limit: int, expected_s: float) -> None:
    model = asks(*ALIKE, *ALIKE)
    _, seconds = in_virtual_time(chat_async(model, nap, doze, max_parallel_tools=limit), loop)
    assert seconds == expected_s


def test_an_agents_limit_bounds_its_threads() -> None:
    model = asks(*ALIKE, *ALIKE)
    _, seconds = in_virtual_time(chat(model, nap, doze, max_parallel_tools=2, tool_workers=9))
    assert seconds == 3.0


@on_each_loop
def test_a_tools_limit_bounds_it_alone(loop: str) -> None:
    model = asks(("nap", 1), ("nap", 1), ("nap", 1), ("doze", 1), ("doze", 1))
    slow = Tool.from_function(nap, max_parallel=1)
    _, seconds = in_virtual_time(chat_async(model, slow, doze), loop)
    assert seconds == 3.0


def test_a_tool_has_its_limit_in_all_agents_together() -> None:
    slow = Tool.from_function(nap, max_parallel=2)

    async def main() -> None:
        await asyncio.gather(*(chat_async(asks(("nap", 1)), slow)() for _ in range(6)))

    assert in_virtual_time(main)[1] == 3.0


@on_each_loop
def test_an_async_tool_is_stopped_at_its_timeout(loop: str) -> None:
    model = asks(("nap", 5), ("nap", 0.5))
    hasty = Tool.from_function(nap, timeout_s=1)
    _, seconds = in_virtual_time(chat_async(model, hasty), loop)
    assert seconds == 1.0
    assert model.tool_texts() == ["error: tool 'nap' timed out after 1 seconds", "async 0.5"]


@pytest.mark.parametrize("form", [chat, chat_async])
def test_a_session_goes_on_at_the_timeout_of_a_plain_tool_which_cannot_be_stopped(
    form: Any,
) -> None:
    answered_s = []

    def respond(body: dict[str, Any]) -> dict[str, Any]:
        answered_s.append(time.monotonic())
        if len(answered_s) > 1:
            return final()
        return calls(*(call("doze", str(i), seconds=5) for i in range(2)))

    hasty = Tool.from_function(doze, timeout_s=1)
    model = Model(respond=respond)
    _, seconds = in_virtual_time(form(model, hasty, tool_workers=2))
    assert answered_s[1] - answered_s[0] == 1.0
    assert model.tool_texts() == ["error: tool 'doze' timed out after 1 seconds"] * 2
    # Closing the agent leaves no thread behind, so it waits for them.
    assert seconds == 5.0


def test_an_async_tool_of_the_sync_form_is_stopped_at_its_timeout() -> None:
    model = asks(("nap", 5))
    _, seconds = in_virtual_time(chat(model, Tool.from_function(nap, timeout_s=1)))
    assert seconds == 1.0
    assert model.tool_texts() == ["error: tool 'nap' timed out after 1 seconds"]


def test_a_plain_tool_that_timed_out_keeps_its_slot_until_it_ends() -> None:
    began_s = []

    def begin(seconds: float) -> str:
        began_s.append(time.monotonic())
        return doze(seconds)

    hasty = Tool.from_function(begin, name="doze", timeout_s=1, max_parallel=1)
    model = asks(("doze", 3), ("doze", 0.5))
    in_virtual_time(chat_async(model, hasty))
    assert began_s[1] - began_s[0] == 3.0
    assert model.tool_texts() == ["error: tool 'doze' timed out after 1 seconds", "plain 0.5"]


def fail_after(seconds: float) -> str:
    time.sleep(seconds)
    raise LookupError("nothing there")


@on_each_loop
def test_a_failing_tool_cancels_nothing(loop: str) -> None:
    model = asks(("fail_after", 1), ("nap", 2))
    _, seconds = in_virtual_time(chat_async(model, fail_after, nap), loop)
    assert seconds == 2.0
    assert model.tool_texts() == [
        "error: tool 'fail_after' failed: LookupError: nothing there",
        "async 2",
    ]


@on_each_loop
def test_a_critical_tool_that_fails_ends_the_session_and_cancels_the_others(loop: str) -> None:
    critical = Tool.from_function(fail_after, critical=True)
    model = asks(("nap", 9), ("fail_after", 1), ("nap", 9))

    async def main() -> None:
        with pytest.raises(ToolFailedError, match="'fail_after' failed: LookupError"):
            await chat_async(model, critical, nap)()

    assert in_virtual_time(main, loop)[1] == 1.0
    assert len(model.requests) == 1


def test_a_critical_tool_ends_a_sync_session_too() -> None:
    critical = Tool.from_function(fail_after, critical=True)
    with pytest.raises(ToolFailedError):
        chat(asks(("fail_after", 0), ("doze", 0)), critical, doze)()


@on_each_loop
def test_the_cancelled_session_leaves_when_its_plain_tools_have_ended(loop: str) -> None:
    async def main() -> float:
        model = asks(("doze", 3), ("nap", 9))
        async with model.async_client() as client:
            # Not closed in here: closing would wait for the thread in any case.
            agent = Agent([doze, nap], async_client=client)
            began_s = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await agent.chat_async("task")
            left_s = time.monotonic() - began_s
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await agent.aclose()
            return left_s

    assert in_virtual_time(main, loop)[0] == 3.0


@pytest.mark.parametrize("form", [chat, chat_async])
def test_one_tool_may_have_an_executor_of_its_own(form: Any) -> None:
    def where(x: int) -> str:
        return threading.current_thread().name

    model = Model([calls(call("here", "0", x=1), call("there", "1", x=1)), final()])
    with ThreadPoolExecutor(1, "given") as threads:
        here = Tool.from_function(where, name="here")
        there = Tool.from_function(where, name="there", executor=threads)
        finish(form(model, here, there)())
    assert not model.tool_texts()[0].startswith("given")
    assert model.tool_texts()[1] == "given_0"


def test_tools_of_many_sessions_see_the_context_of_their_own() -> None:
    user: ContextVar[str] = ContextVar("user")

    @tool
    def who() -> str:
        time.sleep(1)
        return user.get()

    async def session(name: str) -> list[str]:
        user.set(name)
        model = Model([calls(call("who", "0"), call("who", "1")), final()])
        await chat_async(model, who)()
        return model.tool_texts()

    async def main() -> list[list[str]]:
        return await asyncio.gather(*map(session, "abc"))

    assert in_virtual_time(main)[0] == [["a", "a"], ["b", "b"], ["c", "c"]]
