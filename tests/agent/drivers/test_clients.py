import asyncio

import openai
import pytest
from warpbench.agent import Agent, SettingsError
from warpbench.agent.drivers.clients import Clients

from ..scripted import Model, final


def test_a_form_without_its_client_says_which_one_to_pass() -> None:
    async def main() -> None:
        async with Model([final()]).async_client() as client, Agent(async_client=client) as agent:
            await agent.chat_async("task")
            with pytest.raises(SettingsError, match="pass client=OpenAI"):
                await asyncio.to_thread(agent.chat, "task")

    asyncio.run(main())
    with (
        Model().client() as client,
        Agent(client=client) as agent,
        pytest.raises(SettingsError, match="pass async_client=AsyncOpenAI"),
    ):
        asyncio.run(agent.chat_async("task"))


def test_an_async_client_in_a_second_loop_is_refused_instead_of_hanging() -> None:
    client = Model([final(), final()]).async_client()
    agent = Agent(async_client=client)
    assert asyncio.run(agent.chat_async("task")).text == "done"
    with pytest.raises(SettingsError, match="used in another event loop"):
        asyncio.run(agent.chat_async("task"))
    agent.close()


def test_without_clients_the_agent_makes_its_own_one_for_each_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    clients = Clients(None, None)

    async def mine() -> openai.AsyncOpenAI:
        assert clients.of_running_loop() is clients.of_running_loop()
        return clients.of_running_loop()

    first, second = asyncio.run(mine()), asyncio.run(mine())
    assert first is not second
    assert clients.sync() is clients.sync()
    clients.close()


def test_it_closes_its_own_and_leaves_those_of_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    async def main() -> None:
        own = Clients(None, None)
        sync, async_ = own.sync(), own.of_running_loop()
        await own.aclose()
        assert sync.is_closed()
        assert async_.is_closed()
        with Model().client() as given_sync:
            async with Model().async_client() as given:
                clients = Clients(given_sync, given)
                clients.of_running_loop()
                await clients.aclose()
                assert not given.is_closed()
                assert not given_sync.is_closed()

    asyncio.run(main())


def test_a_missing_key_is_the_sdks_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with Agent() as agent, pytest.raises(openai.OpenAIError, match="OPENAI_API_KEY"):
        agent.chat("task")
