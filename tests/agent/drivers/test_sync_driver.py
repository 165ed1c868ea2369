import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import openai
import pytest
from warpbench.agent import (
    Agent,
    Answer,
    MaxRoundsError,
    ModelAnswerError,
    RunningLoopError,
    SettingsError,
    Tool,
    Usage,
)

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final

OPEN_S = 120.0
"""A barrier that does not open fails the test instead of hanging it; no test waits this long."""


def run(model: Model, /, *functions: Callable[..., object], **settings: Any) -> Answer:
    tools = [Tool.from_function(function) for function in functions]
    with model.client() as client, Agent(tools, client=client, **settings) as agent:
        return agent.chat("task")


def four_calls(name: str) -> list[dict[str, Any]]:
    return [calls(*(call(name, str(index), x=index) for index in range(4))), final()]


def test_a_session_ends_with_text_rounds_and_usage() -> None:
    model = Model(four_calls("abs"))
    answer = run(model, lambda_named("abs"), instructions="Be brief.")
    assert answer == Answer("done", 2, Usage(20, 4), "stop")
    assert model.bodies[0]["messages"][0] == {"role": "system", "content": "Be brief."}


def lambda_named(name: str) -> Callable[[int], int]:
    def tool(x: int) -> int:
        return x

    tool.__name__ = name
    return tool


def test_tools_of_an_answer_run_at_once_and_results_keep_the_order_of_calls() -> None:
    barrier = threading.Barrier(4)
    threads: set[threading.Thread] = set()

    def work(x: int) -> int:
        barrier.wait(OPEN_S)
        threads.add(threading.current_thread())
        return x

    model = Model(four_calls("work"))
    run(model, work, tool_workers=3)
    assert model.tool_texts() == ["0", "1", "2", "3"]
    assert threading.current_thread() in threads
    assert [thread.is_alive() for thread in threads - {threading.current_thread()}] == [False] * 3


def test_async_tools_run_at_once_each_in_a_loop_of_its_own() -> None:
    barrier = threading.Barrier(4)

    async def work(x: int) -> int:
        await asyncio.sleep(0)
        barrier.wait(OPEN_S)
        return x

    model = Model(four_calls("work"))
    run(model, work, tool_workers=3)
    assert model.tool_texts() == ["0", "1", "2", "3"]


def test_a_single_call_stays_in_the_calling_thread() -> None:
    threads = []

    def work() -> None:
        threads.append(threading.current_thread())

    run(Model([calls(call("work")), final()]), work)
    assert threads == [threading.current_thread()]


def test_a_pool_that_never_has_a_free_worker_does_not_stop_a_session() -> None:
    release = threading.Event()
    model = Model(four_calls("work"))
    with ThreadPoolExecutor(1) as busy:
        busy.submit(release.wait, OPEN_S)
        run(model, lambda_named("work"), executor=busy)
        release.set()
    assert model.tool_texts() == ["0", "1", "2", "3"]


def test_a_session_may_run_in_the_very_pool_of_its_tools() -> None:
    model = Model(four_calls("work"))
    with ThreadPoolExecutor(1) as executor:
        executor.submit(run, model, lambda_named("work"), executor=executor).result(OPEN_S)
    assert model.tool_texts() == ["0", "1", "2", "3"]


def test_context_variables_reach_tools_and_do_not_come_back() -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")

    def plain(x: int) -> str:
        seen = user.get()
        user.set("somebody else")
        return seen

    async def awaited(x: int) -> str:
        return plain(x)

    token = user.set("ada")
    names = ["plain", "plain", "awaited", "awaited"]
    model = Model([calls(*(call(n, str(i), x=i) for i, n in enumerate(names))), final()])
    run(model, plain, awaited)
    assert model.tool_texts() == ["ada"] * 4
    assert user.get() == "ada"
    user.reset(token)


def test_what_the_model_got_wrong_is_fed_back() -> None:
    def fail(x: int) -> None:
        raise RuntimeError("out of order")

    model = Model([calls(call("fail", "1", x=1), call("nowhere", "2")), final()])
    assert run(model, fail).rounds == 2
    assert model.tool_texts() == [
        "error: tool 'fail' failed: RuntimeError: out of order",
        "error: there is no tool 'nowhere'; the tools are ['fail']",
    ]


def test_an_answer_of_wrong_calls_only_runs_nothing() -> None:
    model = Model([calls(call("nowhere")), final()])
    assert run(model).rounds == 2


def test_a_model_that_never_stops_asking_is_stopped() -> None:
    model = Model(respond=lambda body: calls(call("work", x=1)))
    with pytest.raises(MaxRoundsError, match="max_rounds=3"):
        run(model, lambda_named("work"), max_rounds=3)
    assert len(model.requests) == 3


def test_an_interrupt_passes_through_and_begins_no_further_tool() -> None:
    release, ran = threading.Event(), []

    def work(x: int) -> None:
        if x == 0:
            raise KeyboardInterrupt
        ran.append(x)

    with ThreadPoolExecutor(1) as busy:
        busy.submit(release.wait, OPEN_S)
        with pytest.raises(KeyboardInterrupt):
            run(Model(four_calls("work")), work, executor=busy)
        release.set()
    assert ran == []


def test_async_tools_inside_a_running_loop_are_refused_before_the_model_is_asked() -> None:
    async def work(x: int) -> None: ...

    async def main() -> None:
        run(model, work)

    model = Model(four_calls("work"))
    with pytest.raises(RunningLoopError, match="chat_async"):
        asyncio.run(main())
    assert model.requests == []


def test_a_hundred_sessions_of_one_agent_know_nothing_of_each_other() -> None:
    def respond(body: dict[str, Any]) -> dict[str, Any]:
        task = body["messages"][0]["content"]
        results = [m["content"] for m in body["messages"] if m["role"] == "tool"]
        if len(results) < 4:
            ids = (len(results), len(results) + 1)
            return calls(*(call("join", str(index), task=task, step=index) for index in ids))
        return final(json.dumps([task, *results]))

    def join(task: str, step: int) -> str:
        return f"{task}/{step}"

    tasks = [f"task {index}" for index in range(100)]
    with (
        Model(respond=respond).client() as client,
        Agent([join], client=client, tool_workers=4) as agent,
        ThreadPoolExecutor(20) as sessions,
    ):
        answers = list(sessions.map(agent.chat, tasks))
    assert [json.loads(answer.text) for answer in answers] == [
        [task, *(f"{task}/{step}" for step in range(4))] for task in tasks
    ]


def test_errors_of_the_api_stay_those_of_the_sdk() -> None:
    refused = sdk_http.Response(400, json={"error": {"message": "too long"}})
    with pytest.raises(openai.BadRequestError, match="too long"):
        run(Model([refused]))


@pytest.mark.parametrize("reply", [{"choices": []}, sdk_http.Response(200, text="<html>")])
def test_a_malformed_answer_is_an_error_of_the_agent(reply: Any) -> None:
    with pytest.raises(ModelAnswerError):
        run(Model([reply]))


@pytest.mark.parametrize("settings", [{"tool_workers": 0}, {"max_rounds": 0}])
def test_settings_that_cannot_work_are_refused(settings: Any) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        run(Model(), **settings)


def test_a_pool_and_its_size_are_not_given_together() -> None:
    with ThreadPoolExecutor() as executor, pytest.raises(SettingsError, match="executor"):
        run(Model(), executor=executor, tool_workers=2)
