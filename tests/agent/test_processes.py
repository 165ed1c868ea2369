"""Plain tools in processes, for those that compute."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from warpbench.agent import Agent, Tool

from .scripted import Model, call, calls, final


def chat(model: Model, tool: Any, executor: ProcessPoolExecutor) -> None:
    with model.client() as client, Agent(tool, client=client, executor=executor) as agent:
        agent.chat("task")


def chat_async(model: Model, tool: Any, executor: ProcessPoolExecutor) -> None:
    async def main() -> None:
        async with (
            model.async_client() as client,
            Agent(tool, async_client=client, executor=executor) as agent,
        ):
            await agent.chat_async("task")

    asyncio.run(main())


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    # Forking a process that has threads is what Python 3.12 warns of.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


WHERE = Tool(name="where", description="", parameters={}, function=os.getpid)


@pytest.mark.parametrize("form", [chat, chat_async])
def test_computing_tools_run_in_processes_of_the_callers(
    form: Any, processes: ProcessPoolExecutor
) -> None:
    model = Model([calls(call("where", "0"), call("where", "1")), final()])
    form(model, WHERE, processes)
    (worker,) = set(model.tool_texts())
    assert int(worker) != os.getpid()


@pytest.mark.parametrize("form", [chat, chat_async])
def test_what_a_process_cannot_be_sent_is_a_failure_that_the_model_is_told(
    form: Any, processes: ProcessPoolExecutor
) -> None:
    def local(x: int) -> int:
        return x

    model = Model([calls(call("local", x=1)), final()])
    form(model, local, processes)
    assert model.tool_texts()[0].startswith("error: tool 'local' failed: ")
