import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from warpbench.agent import Tool
from warpbench.agent.tools.invocation import Invocation
from warpbench.agent.tools.toolbox import ToolRegistry

from ..scripted import call


def tool(function: Any, name: str = "tool") -> Tool:
    return Tool(
        name=name,
        description="",
        parameters={"properties": {"x": {"type": "integer"}}},
        function=function,
    )


def run(function: Any, **arguments: object) -> str:
    invocation = ToolRegistry(tool(function)).current.prepare(call("tool", **arguments))
    assert isinstance(invocation, Invocation)
    return invocation.run().text


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ([1, {"a": True}], '[1,{"a":true}]'),
        (Point(3), '{"x":3}'),
    ],
)
def test_a_result_that_is_not_text_becomes_json(value: Any, text: str) -> None:
    assert run(lambda: value) == text


def test_a_failing_tool_tells_the_model() -> None:
    def fail(x: int) -> str:
        raise ValueError(f"no {x}")

    assert run(fail, x=3) == "error: tool 'tool' failed: ValueError: no 3"


def test_a_result_without_a_json_form_is_a_failure() -> None:
    assert "failed: PydanticSerializationError" in run(object)


def test_stop_iteration_is_a_failure_like_any_other() -> None:
    def fail() -> str:
        raise StopIteration

    assert run(fail) == "error: tool 'tool' failed: StopIteration"


def test_an_interrupt_is_not_a_failing_tool() -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupt)


def test_an_async_tool_runs_to_its_end() -> None:
    async def work(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    assert run(work, x=1) == "2"


def test_an_object_with_an_async_call_is_an_async_tool() -> None:
    class Worker:
        async def __call__(self) -> str:
            return "done"

    assert run(Worker()) == "done"


def test_a_coroutine_is_never_a_result() -> None:
    async def work() -> str:
        return "never"

    def forgetful() -> object:
        return work()

    assert "declare it 'async def'" in run(forgetful)


def test_something_cancelled_inside_a_tool_is_a_failure() -> None:
    async def work() -> str:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        return await future

    assert run(work) == "error: tool 'tool' failed: CancelledError"


def test_a_tool_that_is_cancelled_from_outside_has_not_failed() -> None:
    async def main() -> None:
        invocation = ToolRegistry(tool(asyncio.Event().wait)).current.prepare(call("tool"))
        assert isinstance(invocation, Invocation)
        task = asyncio.create_task(invocation.run_async())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
