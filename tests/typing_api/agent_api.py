"""What type checkers make of the agent's public surface: checked by `make types`, never run."""

from collections.abc import Callable
from typing import assert_type

from warpbench.agent import (
    Agent,
    Answer,
    Conversation,
    Finished,
    StepContext,
    TaskResult,
    TextDelta,
    Tool,
    ToolEnded,
    ToolStarted,
    Usage,
    Workflow,
    WorkflowResult,
    tool,
)
from warpbench.agent.mcp import McpTools, without_clashes


@tool
def bare(city: str) -> int:
    return len(city)


@tool(timeout_s=5, max_parallel=2)
async def with_options(city: str) -> int:
    return len(city)


class Shop:
    @tool
    def count(self, item: str) -> int:
        return len(item)


# The decorator leaves types as they are.
assert_type(bare("Oslo"), int)
plain: Callable[[str], int] = bare
assert_type(Shop().count("tea"), int)

agent = Agent([bare, with_options, Shop().count, Tool.from_function(bare)])
Agent(bare)
Agent(mode="normal")
agent.register(bare)
agent.register([bare, Tool.from_function(bare)])
agent.register(each for each in (bare,))
agent.register("bare")  # type: ignore[arg-type]
agent.chat(1)  # type: ignore[arg-type]

assert_type(agent.chat("x", conversation=Conversation()), Answer)
assert_type(agent.run("x"), TaskResult)
assert_type(agent.batch_chat(["x"]), list[Answer | Exception])
assert_type(agent.sequential_chat(["x"]), list[Answer])
assert_type(agent.chat("x").usage + Usage(), Usage)
for event in agent.stream("x"):
    assert_type(event, TextDelta | ToolStarted | ToolEnded | Finished)


async def forms() -> None:
    assert_type(await with_options("Oslo"), int)
    assert_type(await agent.chat_async("x"), Answer)
    assert_type(await agent.arun("x"), TaskResult)
    assert_type(await agent.batch_chat_async(["x"]), list[Answer | Exception])
    assert_type(await agent.sequential_chat_async(["x"]), list[Answer])
    async with agent.stream_async("x") as stream:
        async for event in stream:
            assert_type(event, TextDelta | ToolStarted | ToolEnded | Finished)
        assert_type(stream.answer, Answer)
    async with agent as entered:
        assert_type(entered, Agent)
    async with McpTools("ws://127.0.0.1/ws") as server:
        assert_type(without_clashes([server]), list[Tool])


workflow = Workflow()


@workflow.step(after=["first"], condition=lambda context: bool(context["first"]))
async def second(context: StepContext) -> str:
    return context.task


assert_type(workflow.run("x"), WorkflowResult)
