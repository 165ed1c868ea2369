import asyncio
import json
import threading
from typing import Any

import openai
import pytest
from warpbench.agent import Agent, Answer, RetryPolicy, SettingsError

from ...http_libraries import sdk_http
from ..scripted import Model, final
from ..virtual import in_virtual_time, on_each_loop


def echo(body: dict[str, Any]) -> dict[str, Any] | sdk_http.Response:
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    if "bad" in said[-1]:
        return sdk_http.Response(400, json={"error": {"message": "bad"}})
    return final(json.dumps(said))


@on_each_loop
@pytest.mark.parametrize(("limit", "rounds"), [(10, 10), (30, 4), (100, 1), (1000, 1)])
def test_a_batch_of_100_takes_exactly_as_many_rounds_as_its_limit_allows(
    loop: str, limit: int, rounds: int
) -> None:
    model = Model(respond=echo, latency_s=1)

    async def main() -> list[Any]:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            messages = [f"message {index}" for index in range(100)]
            return await agent.batch_chat_async(messages, max_concurrency=limit)

    answers, seconds = in_virtual_time(main, loop)
    assert seconds == rounds
    assert model.peak_in_flight == min(limit, 100)
    # In order, and none has seen another's message.
    assert [str(answer) for answer in answers] == [f'["message {i}"]' for i in range(100)]


def test_its_sync_twin_takes_as_many_threads() -> None:
    model = Model(respond=echo, latency_s=1)

    def main() -> list[Any]:
        with model.client() as client, Agent(client=client) as agent:
            return agent.batch_chat([f"message {index}" for index in range(100)])

    answers, seconds = in_virtual_time(main)
    assert seconds == 10
    assert [str(answer) for answer in answers] == [f'["message {i}"]' for i in range(100)]


MESSAGES = ["a", "bad b", "c", "bad d"]


def check_outcomes(outcomes: list[Any]) -> None:
    assert [type(outcome) for outcome in outcomes] == [
        Answer,
        openai.BadRequestError,
        Answer,
        openai.BadRequestError,
    ]


def test_one_failure_does_not_sink_the_rest() -> None:
    model = Model(respond=echo)

    async def main() -> list[Any]:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            return await agent.batch_chat_async(MESSAGES)

    check_outcomes(asyncio.run(main()))
    with model.client() as client, Agent(client=client) as agent:
        check_outcomes(agent.batch_chat(MESSAGES))


def test_a_cancelled_batch_begins_nothing_more_and_leaves_nothing() -> None:
    model = Model(respond=echo, latency_s=1)

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5):
                    await agent.batch_chat_async(map(str, range(100)), max_concurrency=2)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    assert in_virtual_time(main)[1] == 2.5
    assert len(model.requests) == 4


def test_a_sequence_shares_its_context_in_order() -> None:
    async def main() -> list[Answer]:
        model = Model(respond=echo)
        async with model.async_client() as client, Agent(async_client=client) as agent:
            return await agent.sequential_chat_async("abc")

    expected = ['["a"]', '["a", "b"]', '["a", "b", "c"]']
    assert [answer.text for answer in asyncio.run(main())] == expected
    with Model(respond=echo).client() as client, Agent(client=client) as agent:
        assert [answer.text for answer in agent.sequential_chat("abc")] == expected


def test_a_sequence_ends_where_it_fails() -> None:
    model = Model(respond=echo)
    with (
        model.client() as client,
        Agent(client=client, retry=RetryPolicy(max_retries=0)) as agent,
        pytest.raises(openai.BadRequestError),
    ):
        agent.sequential_chat(["a", "bad", "c"])
    assert len(model.requests) == 2


def test_no_messages_are_no_work() -> None:
    with Model().client() as client, Agent(client=client) as agent:
        assert agent.batch_chat([]) == []
        assert agent.sequential_chat([]) == []


def test_an_empty_concurrency_is_refused() -> None:
    with Agent(client=None) as agent, pytest.raises(SettingsError, match="max_concurrency is 0"):
        agent.batch_chat(["a"], max_concurrency=0)


def test_an_interrupt_passes_through_a_batch() -> None:
    begun = threading.Event()

    def respond(body: dict[str, Any]) -> dict[str, Any]:
        begun.set()
        raise KeyboardInterrupt

    with (
        Model(respond=respond).client() as client,
        Agent(client=client) as agent,
        pytest.raises(KeyboardInterrupt),
    ):
        agent.batch_chat(["a"] * 50, max_concurrency=1)
    assert begun.is_set()
