"""Limits of time, per call of the model and per session: in virtual time, exactly."""

import asyncio
import time
from typing import Any

import openai
import pytest
from warpbench.agent import Agent, Limiter, RetryPolicy, SessionTimeoutError, SettingsError

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time, on_each_loop


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "rested"


def doze(seconds: float) -> str:
    time.sleep(seconds)
    return "rested"


def chat_async(model: Model, error: type[Exception], **settings: Any) -> Any:
    async def main() -> None:
        async with (
            model.async_client() as client,
            Agent([nap, doze], async_client=client, **settings) as agent,
        ):
            with pytest.raises(error):
                await agent.chat_async("task")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return main


def chat(model: Model, error: type[Exception], **settings: Any) -> Any:
    def main() -> float:
        with model.client() as client, Agent([nap, doze], client=client, **settings) as agent:
            begin_s = time.monotonic()
            with pytest.raises(error):
                agent.chat("task")
            return time.monotonic() - begin_s

    return main


@on_each_loop
def test_a_call_of_the_model_ends_at_its_timeout_and_is_tried_again(loop: str) -> None:
    model = Model([final()] * 3, latency_s=10)
    policy = RetryPolicy(max_retries=2, first_delay_s=1, jitter=0)
    main = chat_async(model, openai.APITimeoutError, call_timeout_s=3, retry=policy)
    assert in_virtual_time(main, loop)[1] == 3 + 1 + 3 + 2 + 3


def test_in_a_thread_the_http_client_keeps_the_time_of_a_call() -> None:
    model = Model([final()])
    with model.client() as client, Agent(client=client, call_timeout_s=3) as agent:
        agent.chat("task")
    assert set(model.requests[0].extensions["timeout"].values()) == {3}


@on_each_loop
@pytest.mark.parametrize("name", ["nap", "model"])
def test_a_session_ends_at_its_timeout_whatever_it_waits_for(loop: str, name: str) -> None:
    slow = Model([calls(call("nap", seconds=50)), final()], latency_s=20 if name == "model" else 1)
    main = chat_async(slow, SessionTimeoutError, session_timeout_s=10)
    assert in_virtual_time(main, loop)[1] == 10


def test_a_session_ends_while_it_waits_for_a_retry() -> None:
    busy = Model(respond=lambda body: openai_busy())
    main = chat_async(busy, SessionTimeoutError, session_timeout_s=10)
    assert in_virtual_time(main)[1] == 10
    assert in_virtual_time(chat(busy, SessionTimeoutError, session_timeout_s=10))[1] == 10


def openai_busy() -> Any:
    return sdk_http.Response(429, headers={"retry-after": "60"}, json={})


def test_a_session_ends_while_it_waits_for_a_slot() -> None:
    limiter = Limiter(1)
    limiter.acquire()
    settings: Any = {"session_timeout_s": 10, "limiter": limiter}
    assert in_virtual_time(chat_async(Model(), SessionTimeoutError, **settings))[1] == 10
    assert in_virtual_time(chat(Model(), SessionTimeoutError, **settings))[1] == 10
    limiter.release()
    limiter.acquire(timeout_s=0)


def test_a_sync_session_ends_while_its_tools_run_and_leaves_them_to_close() -> None:
    model = Model([calls(call("doze", "1", seconds=15), call("doze", "2", seconds=2)), final()])
    session_s, closed_s = in_virtual_time(chat(model, SessionTimeoutError, session_timeout_s=10))
    assert session_s == 10
    assert closed_s == 15


def test_a_sync_session_ends_between_steps() -> None:
    model = Model([calls(call("nap", seconds=0)), final()], latency_s=12)
    session_s, _ = in_virtual_time(chat(model, SessionTimeoutError, session_timeout_s=10))
    # A mocked call cannot be cut short in a thread; a real one keeps the HTTP timeout.
    assert session_s == 12
    assert len(model.requests) == 1


def test_a_timeout_error_of_a_tool_is_the_tools() -> None:
    def fail(seconds: float) -> str:
        raise TimeoutError("my own")

    model = Model([calls(call("fail", seconds=1)), final()])
    with model.client() as client, Agent(fail, client=client, session_timeout_s=10) as agent:
        agent.chat("task")
    assert model.tool_texts() == ["error: tool 'fail' failed: TimeoutError: my own"]


@pytest.mark.parametrize("name", ["call_timeout_s", "session_timeout_s"])
def test_a_limit_of_no_time_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is 0; expected more than 0"):
        Agent(**{name: 0})  # type: ignore[arg-type]
