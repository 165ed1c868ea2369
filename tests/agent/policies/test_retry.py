import asyncio
import email.utils
import time
from random import Random
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import Agent, Limiter, RetryBudget, RetryPolicy, SettingsError

from ...http_libraries import sdk_http
from ..scripted import Model, final
from ..virtual import in_virtual_time, on_each_loop

REQUEST = sdk_http.Request("POST", "https://api.test/chat/completions")


def refused(status: int, **headers: str) -> sdk_http.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sdk_http.Response(status, headers=named, json={"error": {"message": "busy"}})


def error(status: int, **headers: str) -> openai.APIStatusError:
    response = refused(status, **headers)
    response.request = REQUEST
    return openai.APIStatusError("busy", response=response, body=None)


STEADY = RetryPolicy(jitter=0)


async def chat_async(model: Model, **settings: Any) -> str:
    async with (
        model.async_client() as client,
        Agent(async_client=client, **settings) as agent,
    ):
        return (await agent.chat_async("task")).text


def chat(model: Model, **settings: Any) -> str:
    with model.client() as client, Agent(client=client, **settings) as agent:
        return agent.chat("task").text


@on_each_loop
def test_a_429_with_retry_after_2_costs_exactly_2_seconds_more(loop: str) -> None:
    async def main() -> str:
        return await chat_async(Model([refused(429, retry_after="2"), final()], latency_s=0.5))

    assert in_virtual_time(main, loop) == ("done", 0.5 + 2 + 0.5)


def test_it_does_so_in_a_thread_too() -> None:
    model = Model([refused(429, retry_after="2"), final()], latency_s=0.5)
    assert in_virtual_time(lambda: chat(model)) == ("done", 0.5 + 2 + 0.5)
    assert model.bodies[0] == model.bodies[1]


def test_without_a_wish_of_the_server_the_wait_doubles_up_to_its_most() -> None:
    policy = RetryPolicy(max_retries=5, first_delay_s=1, max_delay_s=4, jitter=0)
    model = Model([*[refused(503)] * 5, final()])
    assert in_virtual_time(lambda: chat(model, retry=policy)) == ("done", 1 + 2 + 4 + 4 + 4)


@pytest.mark.parametrize(
    ("failure", "retried"),
    [
        (error(408), True),
        (error(409), True),
        (error(429), True),
        (error(500), True),
        (error(529), True),
        (error(400), False),
        (error(401), False),
        (error(404), False),
        (error(503, x_should_retry="false"), False),
        (error(400, x_should_retry="true"), True),
        (openai.APIConnectionError(request=REQUEST), True),
        (openai.APITimeoutError(REQUEST), True),
        (openai.APIError("odd", REQUEST, body=None), False),
    ],
)
def test_what_is_tried_again(failure: openai.APIError, retried: bool) -> None:
    assert (STEADY.delay_s(failure, 0) is not None) == retried


@pytest.mark.parametrize(
    ("headers", "delay_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "soon"}, 0.5),
        ({"retry_after": "-3"}, 0.5),
        ({"retry_after": "nan"}, 0.5),
        ({"retry_after": "121"}, None),
        ({"retry_after": "inf"}, None),
    ],
)
def test_the_wait_that_a_server_asks_for(headers: Any, delay_s: float | None) -> None:
    assert STEADY.delay_s(error(429, **headers), 0) == delay_s


def test_the_wait_may_be_asked_for_as_a_date() -> None:
    now = int(time.time())
    for offset_s in (30, -30):
        asked = email.utils.formatdate(now + offset_s, usegmt=True)
        delay_s = STEADY.delay_s(error(429, retry_after=asked), 0)
        assert delay_s is not None
        assert max(0, offset_s - 10) <= delay_s <= max(0, offset_s)


@given(
    retries=st.integers(0, 2000),
    first_s=st.floats(0, 100),
    most_s=st.floats(0, 100),
    jitter=st.floats(0, 1),
    seed=st.integers(),
)
def test_a_wait_is_never_longer_than_its_most_nor_shorter_than_its_jitter_allows(
    retries: int, first_s: float, most_s: float, jitter: float, seed: int
) -> None:
    policy = RetryPolicy(
        max_retries=retries + 1,
        first_delay_s=first_s,
        max_delay_s=most_s,
        jitter=jitter,
        random=Random(seed),
    )
    delay_s = policy.delay_s(error(503), retries)
    assert delay_s is not None
    longest_s = min(most_s, first_s * 2.0 ** min(retries, 60))
    assert longest_s * (1 - jitter) - 1e-9 <= delay_s <= longest_s


def test_the_last_failure_is_raised_as_the_sdk_raises_it() -> None:
    model = Model([refused(503)] * 3)
    with pytest.raises(openai.InternalServerError, match="busy"):
        in_virtual_time(lambda: chat(model))
    assert len(model.requests) == 3


def test_a_lost_connection_is_tried_again() -> None:
    model = Model([sdk_http.ConnectError("refused"), final()])
    assert in_virtual_time(lambda: chat(model, retry=STEADY)) == ("done", 0.5)


def test_the_clients_own_retries_are_off() -> None:
    model = Model([refused(503)] * 9)
    with (
        pytest.raises(openai.InternalServerError),
        model.client(max_retries=5) as client,
        Agent(client=client, retry=RetryPolicy(max_retries=0)) as agent,
    ):
        agent.chat("task")
    assert len(model.requests) == 1


def test_retries_stop_when_the_shared_budget_is_used_up() -> None:
    budget = RetryBudget(tokens=3, per_success=0.5)
    policy = RetryPolicy(max_retries=2, first_delay_s=0, budget=budget)
    failing = Model([refused(503)] * 9)
    for _ in range(3):
        with pytest.raises(openai.InternalServerError):
            chat(failing, retry=policy)
    # Three first tries, and only three retries between them instead of six.
    assert len(failing.requests) == 6
    assert budget.tokens == 0
    for _ in range(2):
        chat(Model([final()]), retry=policy)
    assert chat(Model([refused(503), final()]), retry=policy) == "done"


def test_a_budget_never_holds_more_than_it_began_with() -> None:
    budget = RetryBudget(tokens=2)
    budget.give_back()
    assert budget.tokens == 2


def test_no_slot_is_held_while_waiting_for_a_retry() -> None:
    limiter = Limiter(1)

    async def main() -> list[str]:
        models = [
            Model([refused(429, retry_after="5"), final("late")], latency_s=1),
            Model([final("early")], latency_s=1),
        ]
        return await asyncio.gather(*(chat_async(model, limiter=limiter) for model in models))

    # The second goes while the first waits: 1 + 5 + 1, not one second more.
    assert in_virtual_time(main) == (["late", "early"], 7.0)


def test_retries_are_counted() -> None:
    model = Model([refused(503), refused(503), final()])
    with model.client() as client, Agent(client=client, retry=RetryPolicy(first_delay_s=0)) as a:
        a.chat("task")
        assert (a.counters.retries, a.counters.model_calls) == (2, 1)


@pytest.mark.parametrize(
    "numbers",
    [{"max_retries": -1}, {"jitter": 1.5}, {"first_delay_s": float("nan")}, {"max_delay_s": -1}],
)
def test_numbers_out_of_range_are_refused(numbers: Any) -> None:
    with pytest.raises(SettingsError, match=next(iter(numbers))):
        RetryPolicy(**numbers)


def test_a_budget_that_allows_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="budget of 0 tokens"):
        RetryBudget(0)
