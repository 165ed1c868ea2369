"""The sync agent: drives a conversation in the calling thread, line for line as the async."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self

import httpx2
from openai import OpenAI

from .conversation import Conversation, Plan
from .errors import RunningLoopError, SettingsError
from .messages import Answer, ModelAnswer, ToolResult
from .registry import Invocation, Tool
from .wire import parse_answer


class Agent:
    """An agent for plain threads: one object serves any number of sessions at once.

    It holds no state of a session: each ``run`` has a conversation of its own. The calling
    thread runs tools too, so a session goes on even if no worker is free, and a single call
    never leaves its thread. An async tool runs in an event loop made for that one call, about
    a millisecond of it; many async tools are better served by ``AsyncAgent``.

    Args:
        client: The model's API: key, address, retries and timeouts are its settings. Threads
            may share it; it belongs to the caller, who closes it. (An ``AzureOpenAI`` one
            needs its ``azure_deployment``: it cannot take it from an encoded request.)
        tools: What the model may call.
        model: Name of the model.
        instructions: The system message, if any.
        max_rounds: Calls of the model that a session may take; at least 1.
        executor: Where the calls of one answer run side by side; by default a pool that the
            agent makes for itself and ends in ``close``.
        tool_workers: Threads of that pool; by default what ``ThreadPoolExecutor`` thinks best.

    Raises:
        SettingsError: The settings contradict each other.
        ToolDefinitionError: A tool is not usable.
    """

    def __init__(
        self,
        client: OpenAI,
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
        if executor is None:
            executor = self._own_pool = ThreadPoolExecutor(tool_workers, "tool")
        self._executor = executor

    def run(self, task: str) -> Answer:
        """Work on a task until the model gives its final answer.

        Raises:
            MaxRoundsError: The model still asks for tools after ``max_rounds`` answers.
            ModelAnswerError: An answer of the model is malformed.
            RunningLoopError: There are async tools, and an event loop runs in this thread.
            openai.APIError: The API failed, after the client's retries.
        """
        if self._plan.toolbox.has_async:
            _refuse_running_loop()
        conversation = Conversation(self._plan, task)
        while True:
            step = conversation.receive(self._ask(conversation.request()))
            if isinstance(step, Answer):
                return step
            conversation.add_results(self._run_tools(step))

    def _ask(self, request: bytes) -> ModelAnswer:
        # The SDK's way for requests of one's own: its keys, retries and errors, but without the
        # walk over every message that makes up half the cost of `chat.completions.create`.
        response = self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=request,
            options={"security": {"bearer_auth": True}},
        )
        return parse_answer(response.content)

    def _run_tools(self, invocations: Sequence[Invocation]) -> list[ToolResult]:
        # A thread starts in an empty context; hand it a copy of ours (a copy, because only one
        # thread at a time may be in a context).
        first, others = invocations[:1], invocations[1:]
        futures = [self._executor.submit(copy_context().run, other.run) for other in others]
        try:
            results = [copy_context().run(invocation.run) for invocation in first]
            for invocation, future in zip(others, futures, strict=True):
                # Whatever no worker has begun, this thread takes back and runs. So it waits
                # only for tools that are running, and a pool however full cannot deadlock.
                if future.cancel():
                    results.append(copy_context().run(invocation.run))
                else:
                    results.append(future.result())
        finally:
            # Only an interrupt (Ctrl-C, SystemExit) gets here early: begin nothing more.
            for future in futures:
                future.cancel()
        return results

    def close(self) -> None:
        """End the agent's own pool, if it has one, when the tools in it have ended."""
        if self._own_pool is not None:
            self._own_pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RunningLoopError(
        "this agent has async tools, and this thread runs an event loop, which they would "
        "block; use AsyncAgent here, or call run() in a thread (asyncio.to_thread)"
    )
