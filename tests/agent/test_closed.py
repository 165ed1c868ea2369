import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.agent import Agent, SettingsError

from .scripted import Model, call, calls, final


def ping() -> str:
    return "pong"


def test_a_closed_agent_says_so_where_it_needs_its_threads() -> None:
    asked = calls(call("ping", "1"), call("ping", "2"))

    async def main() -> None:
        async with Model([asked]).async_client() as client:
            agent = Agent(ping, async_client=client)
            await agent.aclose()
            with pytest.raises(SettingsError, match="was the agent closed"):
                await agent.chat_async("task")

    asyncio.run(main())
    with Model([asked]).client() as client:
        agent = Agent(ping, client=client)
        agent.close()
        with pytest.raises(SettingsError, match="was the agent closed"):
            agent.chat("task")


def test_closing_leaves_an_executor_of_the_callers_open() -> None:
    with ThreadPoolExecutor(1) as threads:
        with (
            Model([calls(call("ping")), final()]).client() as client,
            Agent(ping, client=client, executor=threads) as agent,
        ):
            agent.chat("task")
        assert threads.submit(ping).result() == "pong"


def test_closing_twice_is_closing_once() -> None:
    async def main() -> None:
        agent = Agent(ping)
        await agent.aclose()
        await agent.aclose()
        agent.close()

    asyncio.run(main())
