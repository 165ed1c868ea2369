"""The async agent: drives a conversation in an event loop, and reads line for line as the sync."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self

import httpx2
from openai import AsyncOpenAI

from .conversation import Conversation, Plan
from .errors import SettingsError
from .messages import Answer, ModelAnswer, ToolResult
from .registry import Invocation, Tool
from .wire import parse_answer


class AsyncAgent:
    """An agent for the event loop: one object serves any number of sessions at once.

    It holds no state of a session: each ``run`` has a conversation of its own. Cancelling a
    ``run`` cancels its model call or its async tools and waits for them to end; a plain
    function that a thread has begun cannot be stopped and runs to its end, unheard.

    Args:
        client: The model's API: key, address, retries and timeouts are its settings. A client
            belongs to one event loop, and to the caller, who closes it. (An ``AzureOpenAI``
            one needs its ``azure_deployment``: it cannot take it from an encoded request.)
        tools: What the model may call.
        model: Name of the model.
        instructions: The system message, if any.
        max_rounds: Calls of the model that a session may take; at least 1.
        executor: Where plain functions run; by default the event loop's own executor.
        tool_workers: Instead of an executor, threads of a pool that the agent makes for itself
            and ends in ``aclose``.

    Raises:
        SettingsError: The settings contradict each other.
        ToolDefinitionError: A tool is not usable.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        tools: Iterable[Tool] = (),
        *,
        model: str = "gpt-4o-mini",
        instructions: str | None = None,
        max_rounds: int = 10,
        executor: Executor | None = None,
        tool_workers: int | None = None,
    ) -> None:
        self._client = client
        self._plan = Plan.of(
            model=model, instructions=instructions, tools=tools, max_rounds=max_rounds
        )
        self._own_pool: ThreadPoolExecutor | None = None
        if tool_workers is not None and (tool_workers < 1 or executor is not None):
            raise SettingsError(
                f"tool_workers is {tool_workers}; it is at least 1, and not given with an executor"
            )
        if tool_workers is not None:
            executor = self._own_pool = ThreadPoolExecutor(tool_workers, "tool")
        self._executor = executor

    async def run(self, task: str) -> Answer:
        """Work on a task until the model gives its final answer.

        Raises:
            MaxRoundsError: The model still asks for tools after ``max_rounds`` answers.
            ModelAnswerError: An answer of the model is malformed.
            openai.APIError: The API failed, after the client's retries.
        """
        conversation = Conversation(self._plan, task)
        while True:
            step = conversation.receive(await self._ask(conversation.request()))
            if isinstance(step, Answer):
                return step
            conversation.add_results(await self._run_tools(step))

    async def _ask(self, request: bytes) -> ModelAnswer:
        # The SDK's way for requests of one's own: its keys, retries and errors, but without the
        # walk over every message that makes up half the cost of `chat.completions.create`.
        response = await self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=request,
            options={"security": {"bearer_auth": True}},
        )
        return parse_answer(response.content)

    async def _run_tools(self, invocations: Sequence[Invocation]) -> list[ToolResult]:
        # A tool cannot fail here (see Invocation), so the only thing that ends the group early
        # is cancellation from outside, and the group waits until no task of it is left.
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run_tool(invocation)) for invocation in invocations]
        return [task.result() for task in tasks]

    async def _run_tool(self, invocation: Invocation) -> ToolResult:
        if invocation.is_async:
            return await invocation.run_async()
        # A thread starts in an empty context; hand it a copy of ours (a copy, because only one
        # thread at a time may be in a context).
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, copy_context().run, invocation.run)

    async def aclose(self) -> None:
        """End the agent's own pool, if it has one, when the tools in it have ended."""
        if self._own_pool is not None:
            # shutdown() blocks; in a thread, the sessions whose tools it waits for can go on.
            await asyncio.to_thread(self._own_pool.shutdown)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
