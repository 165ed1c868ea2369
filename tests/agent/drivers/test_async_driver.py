import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import openai
import pytest
import uvloop
from warpbench.agent import (
    Agent,
    Answer,
    MaxRoundsError,
    ModelAnswerError,
    SettingsError,
    Tool,
    Usage,
)

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final

OPEN_S = 120.0
"""A barrier that does not open fails the test instead of hanging it; no test waits this long."""

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(main: Callable[[], Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())

    return run


def agent_run(model: Model, /, *functions: Callable[..., object], **settings: Any) -> Any:
    """Run one session of an agent of these tools, and close all there is to close."""

    async def main() -> Answer:
        tools = [Tool.from_function(function) for function in functions]
        async with (
            model.async_client() as client,
            Agent(tools, async_client=client, **settings) as agent,
        ):
            return await agent.chat_async("task")

    return main


async def echo(x: int) -> int:
    return x


def four_calls(name: str) -> list[dict[str, Any]]:
    return [calls(*(call(name, str(index), x=index) for index in range(4))), final()]


def test_a_session_ends_with_text_rounds_and_usage(run: Run) -> None:
    model = Model(four_calls("echo"))
    assert run(agent_run(model, echo, model="gpt-x", instructions="Be brief.")) == Answer(
        "done", 2, Usage(20, 4), "stop"
    )
    assert model.bodies[0]["model"] == "gpt-x"
    assert model.bodies[0]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_requests_go_out_as_the_sdk_sends_its_own(run: Run) -> None:
    ours, theirs = Model([final()]), Model([final()])
    run(agent_run(ours))

    async def main() -> None:
        async with theirs.async_client() as client:
            await client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "task"}]
            )

    run(main)
    assert ours.requests[0].url == theirs.requests[0].url
    lengths = {"content-length"}
    assert {k: v for k, v in ours.requests[0].headers.items() if k not in lengths} == {
        k: v for k, v in theirs.requests[0].headers.items() if k not in lengths
    }
    assert ours.bodies == theirs.bodies


def test_async_tools_of_an_answer_run_at_once_and_results_keep_the_order_of_calls(run: Run) -> None:
    async def main() -> None:
        barrier, ended = asyncio.Barrier(4), []

        async def work(x: int) -> int:
            async with asyncio.timeout(OPEN_S):
                await barrier.wait()
            for _ in range(4 - x):
                await asyncio.sleep(0)
            ended.append(x)
            return x

        await agent_run(model, work)()
        assert ended == [3, 2, 1, 0]

    model = Model(four_calls("work"))
    run(main)
    assert model.tool_texts() == ["0", "1", "2", "3"]


@pytest.mark.parametrize("own_pool", [True, False])
def test_plain_tools_of_an_answer_run_at_once_in_threads(run: Run, own_pool: bool) -> None:
    barrier = threading.Barrier(4)
    threads: set[threading.Thread] = set()

    def work(x: int) -> int:
        barrier.wait(OPEN_S)
        threads.add(threading.current_thread())
        return x

    model = Model(four_calls("work"))
    if own_pool:
        run(agent_run(model, work, tool_workers=4))
        assert not any(thread.is_alive() for thread in threads)
    else:
        with ThreadPoolExecutor(4, "given") as executor:
            run(agent_run(model, work, executor=executor))
        assert all(thread.name.startswith("given") for thread in threads)
    assert model.tool_texts() == ["0", "1", "2", "3"]
    assert len(threads) == 4


def test_without_settings_plain_tools_run_in_threads_of_the_agents_own(run: Run) -> None:
    names = []

    def work(x: int) -> None:
        names.append(threading.current_thread().name)

    run(agent_run(Model(four_calls("work")), work))
    assert all(name.startswith("tool_") for name in names)


def test_context_variables_reach_tools_and_do_not_come_back(run: Run) -> None:
    user: ContextVar[str] = ContextVar("user")

    async def here(x: int) -> str:
        seen = user.get()
        user.set("somebody else")
        return seen

    def there(x: int) -> str:
        seen = user.get()
        user.set("somebody else")
        return seen

    async def main() -> None:
        user.set("ada")
        await agent_run(model, here, there)()
        assert user.get() == "ada"

    model = Model(
        [calls(call("here", "1", x=1), call("there", "2", x=1), call("there", "3", x=1)), final()]
    )
    run(main)
    assert model.tool_texts() == ["ada", "ada", "ada"]


def test_what_the_model_got_wrong_is_fed_back_and_cancels_nothing(run: Run) -> None:
    async def fail(x: int) -> None:
        raise RuntimeError("out of order")

    async def slow(x: int) -> int:
        for _ in range(10):
            await asyncio.sleep(0)
        return x

    wrong = calls(
        call("fail", "1", x=1),
        call("nowhere", "2"),
        call("slow", "3", x="many"),
        call("slow", "4", x=4),
    )
    broken = calls(call("slow", "5"), call("slow", "6", x=6))
    broken["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = '{"x": '
    model = Model([wrong, broken, final()])
    assert run(agent_run(model, fail, slow)).rounds == 3
    texts = model.tool_texts()
    assert texts[0] == "error: tool 'fail' failed: RuntimeError: out of order"
    assert texts[1] == "error: there is no tool 'nowhere'; the tools are ['fail', 'slow']"
    assert texts[2].startswith("error: wrong arguments for 'slow': x: Input should be")
    assert texts[3] == "4"
    assert texts[4].startswith("error: wrong arguments for 'slow': Invalid JSON")
    assert texts[5] == "6"


def test_a_model_that_never_stops_asking_is_stopped(run: Run) -> None:
    seen = []

    async def work(x: int) -> None:
        seen.append(x)

    model = Model(respond=lambda body: calls(call("work", x=len(body["messages"]))))
    with pytest.raises(MaxRoundsError, match="max_rounds=3"):
        run(agent_run(model, work, max_rounds=3))
    assert len(model.requests) == 3
    assert len(seen) == 2


def test_cancellation_passes_through_and_leaves_no_task(run: Run) -> None:
    async def main() -> None:
        begun, ended = asyncio.Barrier(3), []

        async def work(x: int) -> None:
            try:
                await begun.wait()
                await asyncio.Event().wait()
            finally:
                # Cleaning up takes a while, and the session has to wait for it.
                for _ in range(20):
                    await asyncio.sleep(0)
                ended.append(x)

        model = Model([calls(call("work", "1", x=1), call("work", "2", x=2)), final()])
        async with model.async_client() as client:
            agent = Agent([work], async_client=client)
            session = asyncio.create_task(agent.chat_async("task"))
            await begun.wait()
            session.cancel()
            with pytest.raises(asyncio.CancelledError):
                await session
            assert sorted(ended) == [1, 2]
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(model.requests) == 1

    run(main)


def test_a_deadline_around_a_session_passes_through_its_tools(run: Run) -> None:
    async def forever(x: int) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.timeout(0.01):
            await agent_run(Model(four_calls("forever")), forever)()

    with pytest.raises(TimeoutError):
        run(main)


def test_cancellation_takes_back_what_no_thread_has_begun_and_waits_for_the_rest(
    run: Run,
) -> None:
    begun, release, ran = threading.Event(), threading.Event(), []

    def work(x: int) -> None:
        begun.set()
        release.wait(OPEN_S)
        ran.append(x)

    async def main() -> None:
        model = Model(four_calls("work"))
        async with (
            model.async_client() as client,
            Agent([work], async_client=client, tool_workers=1) as agent,
        ):
            session = asyncio.create_task(agent.chat_async("task"))
            await asyncio.to_thread(begun.wait, OPEN_S)
            session.cancel()
            await asyncio.sleep(0)
            session.cancel()  # once more changes nothing
            done, _ = await asyncio.wait([session], timeout=0.05)
            assert not done
            release.set()
            with pytest.raises(asyncio.CancelledError):
                await session
            assert ran == [0]

    run(main)
    assert ran == [0]


def test_a_hundred_sessions_of_one_agent_know_nothing_of_each_other(run: Run) -> None:
    def respond(body: dict[str, Any]) -> dict[str, Any]:
        task = body["messages"][0]["content"]
        results = [m["content"] for m in body["messages"] if m["role"] == "tool"]
        if len(results) < 4:
            first = len(results)
            ids = (first, first + 1)
            return calls(*(call("join", str(index), task=task, step=index) for index in ids))
        return final(json.dumps([task, *results]))

    async def join(task: str, step: int) -> str:
        # Some sessions fall behind others, so that all rounds are in flight together.
        for _ in range(hash((task, step)) % 5):
            await asyncio.sleep(0)
        return f"{task}/{step}"

    async def main() -> None:
        async with Model(respond=respond).async_client() as client:
            agent = Agent([join], async_client=client)
            tasks = [f"task {index}" for index in range(100)]
            answers = await asyncio.gather(*map(agent.chat_async, tasks))
            assert [json.loads(answer.text) for answer in answers] == [
                [task, *(f"{task}/{step}" for step in range(4))] for task in tasks
            ]

    run(main)


def test_errors_of_the_api_stay_those_of_the_sdk(run: Run) -> None:
    refused = sdk_http.Response(400, json={"error": {"message": "too long"}})
    with pytest.raises(openai.BadRequestError, match="too long"):
        run(agent_run(Model([refused])))


@pytest.mark.parametrize("reply", [{"choices": []}, sdk_http.Response(200, text="<html>")])
def test_a_malformed_answer_is_an_error_of_the_agent(run: Run, reply: Any) -> None:
    with pytest.raises(ModelAnswerError):
        run(agent_run(Model([reply])))


@pytest.mark.parametrize("settings", [{"tool_workers": 0}, {"max_rounds": 0}])
def test_settings_that_cannot_work_are_refused(run: Run, settings: Any) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        run(agent_run(Model(), **settings))


def test_a_pool_and_its_size_are_not_given_together(run: Run) -> None:
    with ThreadPoolExecutor() as executor, pytest.raises(SettingsError, match="executor"):
        run(agent_run(Model(), executor=executor, tool_workers=2))
