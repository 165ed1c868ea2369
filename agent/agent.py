"""The agent: what a program that uses one talks to."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from enum import StrEnum
from types import TracebackType
from typing import Self

from openai import AsyncOpenAI, OpenAI

from .conversation.conversation import Conversation, CountTokens
from .conversation.request_plan import Plan
from .conversation.task import TASK_INSTRUCTIONS, TaskTurn, with_completion
from .conversation.turn import Turn
from .drivers import async_driver, sync_driver
from .drivers.batch import Outcome, batch, batch_async
from .drivers.clients import Clients
from .drivers.running_loop import refuse_running_loop
from .drivers.runtime import Runtime
from .drivers.streams import AsyncEventStream, EventStream
from .errors import SettingsError
from .messages import Answer, TaskResult
from .observability.observer import Observer, UsualObserver
from .policies.counters import Counters, Meter, Prices
from .policies.limiter import Limiter, Slots, Unlimited
from .policies.retry import RetryPolicy
from .tools.toolbox import Offered, Toolbox, ToolRegistry
from .workflows.progress import WorkflowResult
from .workflows.workflow import Workflow


class Mode(StrEnum):
    """What an agent does with a message.

    ``NORMAL`` asks the model once and offers no tools. ``AUTO`` lets it call tools, round
    after round, until it answers. ``WORKFLOW`` runs the agent's workflow, and answers with
    the result of its last step.
    """

    NORMAL = "normal"
    AUTO = "auto"
    WORKFLOW = "workflow"


class Agent:
    """An agent over the chat completions of an OpenAI client; each method in two forms.

    One object serves any number of concurrent conversations, from threads and event loops: it
    holds no state of a conversation. The async methods run in the caller's event loop; the
    sync ones are plain code in the calling thread, and refuse to block a running loop.

    Args:
        tools: What the model may call: typed functions and ``Tool`` objects.
        client: For the sync methods. The client holds key, address and proxies; the caller closes
            it. (An ``AzureOpenAI`` client needs its ``azure_deployment``.)
        async_client: For the async methods; belongs to one event loop. An agent that gets neither
            client makes both from the environment, and closes them.
        name: Name of the agent, for the observer.
        model: Name of the model.
        instructions: The system message, if any.
        parameters: Further fields of each request: ``{"temperature": 0}``.
        mode: What ``chat`` does by default.
        workflow: The workflow that the mode ``WORKFLOW`` runs.
        max_rounds: Calls of the model that a chat may take; at least 1.
        context_tokens: Tokens that a request may take. The oldest turns of a conversation
            that do not fit are not sent.
        count_tokens: Counts the tokens of a text; by default an estimate from the text's length.
        executor: Where plain tools run: threads or processes. By default threads of the
            agent's own, which end in ``close``.
        tool_workers: How many of these threads there are; by default Python's own number.
        max_parallel_tools: Tools that may run at the same time, over all sessions.
        retry: When a failed call of the model is retried.
        call_timeout_s: Seconds that one attempt at a call of the model may take.
        session_timeout_s: Seconds that a chat or task may take.
        limiter: Limits the concurrent calls of the model; agents may share it.
        prices: What tokens cost, for ``counters``.
        observer: Watches the agent; by default OpenTelemetry does, if the program uses it
            (see ``opentelemetry``).
        blocking_in_loop: Let sync methods block a running event loop instead of raising.

    Raises:
        SettingsError: The settings contradict each other.
        ToolDefinitionError: A tool is not usable.
    """

    def __init__(
        self,
        tools: Offered = (),
        *,
        client: OpenAI | None = None,
        async_client: AsyncOpenAI | None = None,
        name: str = "agent",
        model: str = "gpt-4o-mini",
        instructions: str | None = None,
        parameters: Mapping[str, object] | None = None,
        mode: Mode | str = Mode.AUTO,
        workflow: Workflow | None = None,
        max_rounds: int = 10,
        context_tokens: int | None = None,
        count_tokens: CountTokens | None = None,
        executor: Executor | None = None,
        tool_workers: int | None = None,
        max_parallel_tools: int | None = None,
        retry: RetryPolicy | None = None,
        call_timeout_s: float | None = None,
        session_timeout_s: float | None = None,
        limiter: Limiter | None = None,
        prices: Prices | None = None,
        observer: Observer | None = None,
        blocking_in_loop: bool = False,
    ) -> None:
        self._tools = ToolRegistry(tools)
        self._clients = Clients(client, async_client)
        self._workflow = workflow
        self._mode = self._checked_mode(mode)
        no_tools = Toolbox()

        def plan(instructions: str | None, toolbox: Callable[[], Toolbox]) -> Plan:
            fields = dict(parameters or {})
            return Plan(model, fields, instructions, toolbox, context_tokens, count_tokens)

        self._kinds = {
            Mode.NORMAL: (plan(instructions, lambda: no_tools), 1),
            Mode.AUTO: (
                plan(instructions, lambda: self._tools.current),
                _at_least_1("max_rounds", max_rounds),
            ),
        }
        self._task_plan = plan(
            "\n\n".join(filter(None, (instructions, TASK_INSTRUCTIONS))),
            with_completion(lambda: self._tools.current),
        )
        self._blocking_in_loop = blocking_in_loop
        self._own_threads, threads, processes = _pools(executor, tool_workers)
        self._runtime = Runtime(
            name=name,
            model=model,
            threads=threads,
            processes=processes,
            retry=RetryPolicy() if retry is None else retry,
            call_timeout_s=_positive("call_timeout_s", call_timeout_s),
            session_timeout_s=_positive("session_timeout_s", session_timeout_s),
            model_limiter=Unlimited() if limiter is None else limiter,
            tool_limiter=_limiter("max_parallel_tools", max_parallel_tools),
            meter=Meter(prices),
            observer=UsualObserver() if observer is None else observer,
        )

    def register(self, tools: Offered) -> None:
        """Add a tool or a list of them; running sessions offer them from their next request.

        Raises:
            ToolDefinitionError: A tool is not usable or its name is taken; then no tool is added.
        """
        self._tools.register(tools)

    def unregister(self, *names: str) -> None:
        """Remove tools; running calls continue, the model is refused later ones.

        Raises:
            SettingsError: There is no tool of such a name.
        """
        self._tools.unregister(*names)

    @property
    def counters(self) -> Counters:
        """The tokens, calls and dollars that this agent has used so far."""
        return self._runtime.meter.counters

    async def chat_async(
        self,
        message: str,
        *,
        conversation: Conversation | None = None,
        mode: Mode | str | None = None,
    ) -> Answer:
        """Answer a message; the tools of one answer of the model run concurrently.

        Args:
            message: The user's message.
            conversation: The history so far; gets this turn if the turn succeeds. By default a new
                conversation, for this turn alone.
            mode: By default the agent's mode.

        Raises:
            MaxRoundsError: The model still asks for tools after ``max_rounds`` answers.
            ModelAnswerError: An answer of the model is malformed.
            ToolFailedError: A tool marked as critical failed.
            ConversationError: The conversation is in the middle of another turn.
            ContextTooLongError: The shortest possible request takes more than ``context_tokens``.
            SessionTimeoutError: The chat took longer than ``session_timeout_s``.
            StepFailedError: In the mode ``WORKFLOW``, a step failed.
            openai.APIError: The API failed, after the retries.
        """
        workflow = self._workflow_of(mode, conversation)
        if workflow is not None:
            return _as_answer(await workflow.arun(message))
        turn = self._turn(message, conversation, mode)
        await async_driver.drive(turn, self._clients.of_running_loop(), self._runtime)
        return turn.answer

    def chat(
        self,
        message: str,
        *,
        conversation: Conversation | None = None,
        mode: Mode | str | None = None,
    ) -> Answer:
        """Do what ``chat_async`` does, in this thread; async tools run in loops of their own.

        Raises:
            RunningLoopError: This thread runs an event loop.
        """
        self._refuse_running_loop("agent.chat", "agent.chat_async")
        workflow = self._workflow_of(mode, conversation)
        if workflow is not None:
            return _as_answer(workflow.run(message))
        turn = self._turn(message, conversation, mode)
        sync_driver.drive(turn, self._clients.sync(), self._runtime)
        return turn.answer

    async def arun(
        self, task: str, *, conversation: Conversation | None = None, max_iterations: int = 10
    ) -> TaskResult:
        """Work on a task until the model declares it complete.

        The model gets a tool for that, ``complete_task``, beside the agent's own tools. As long as
        the model only talks, it is asked to continue.

        Args:
            task: The task.
            conversation: As for ``chat_async``.
            max_iterations: Calls of the model that the task may take. At this limit the result is
                marked as not completed; nothing is raised.

        Raises:
            AgentError, openai.APIError: As for ``chat_async``, but for ``MaxRoundsError``.
        """
        started_s = time.monotonic()
        turn = self._task_turn(task, conversation, max_iterations)
        await async_driver.drive(turn, self._clients.of_running_loop(), self._runtime)
        return turn.result(time.monotonic() - started_s)

    def run(
        self, task: str, *, conversation: Conversation | None = None, max_iterations: int = 10
    ) -> TaskResult:
        """Do what ``arun`` does, in this thread.

        Raises:
            RunningLoopError: This thread runs an event loop.
        """
        self._refuse_running_loop("agent.run", "agent.arun")
        started_s = time.monotonic()
        turn = self._task_turn(task, conversation, max_iterations)
        sync_driver.drive(turn, self._clients.sync(), self._runtime)
        return turn.result(time.monotonic() - started_s)

    def stream_async(
        self, message: str, *, conversation: Conversation | None = None
    ) -> AsyncEventStream:
        """Answer a message piece by piece, with tools; use with ``async with``, and iterate.

        The iteration raises the errors of ``chat_async``. A failure is retried until the first
        piece has come; the conversation gets the turn at the end.
        """
        turn = self._turn(message, conversation, Mode.AUTO)
        return AsyncEventStream(
            async_driver.stream(turn, self._clients.of_running_loop(), self._runtime)
        )

    def stream(self, message: str, *, conversation: Conversation | None = None) -> EventStream:
        """Do what ``stream_async`` does, in this thread; use with ``with``, and iterate.

        Raises:
            RunningLoopError: This thread runs an event loop.
        """
        self._refuse_running_loop("agent.stream", "agent.stream_async")
        turn = self._turn(message, conversation, Mode.AUTO)
        return EventStream(sync_driver.stream(turn, self._clients.sync(), self._runtime))

    async def batch_chat_async(
        self, messages: Iterable[str], *, max_concurrency: int = 10, mode: Mode | str | None = None
    ) -> list[Outcome]:
        """Chat about each message in its own conversation, ``max_concurrency`` at a time.

        Returns:
            The answer to each message or the exception of its chat, in the messages' order.
        """
        return await batch_async(
            messages, lambda message: self.chat_async(message, mode=mode), max_concurrency
        )

    def batch_chat(
        self, messages: Iterable[str], *, max_concurrency: int = 10, mode: Mode | str | None = None
    ) -> list[Outcome]:
        """Do what ``batch_chat_async`` does, in ``max_concurrency`` threads.

        Raises:
            RunningLoopError: This thread runs an event loop.
        """
        self._refuse_running_loop("agent.batch_chat", "agent.batch_chat_async")
        return batch(messages, lambda message: self.chat(message, mode=mode), max_concurrency)

    async def sequential_chat_async(
        self, messages: Iterable[str], *, conversation: Conversation | None = None
    ) -> list[Answer]:
        """Chat about the messages in order, in one conversation.

        Raises:
            AgentError, openai.APIError: As for ``chat_async``; later messages are not sent.
        """
        shared = Conversation() if conversation is None else conversation
        return [await self.chat_async(message, conversation=shared) for message in messages]

    def sequential_chat(
        self, messages: Iterable[str], *, conversation: Conversation | None = None
    ) -> list[Answer]:
        """Do what ``sequential_chat_async`` does, in this thread.

        Raises:
            RunningLoopError: This thread runs an event loop.
        """
        self._refuse_running_loop("agent.sequential_chat", "agent.sequential_chat_async")
        shared = Conversation() if conversation is None else conversation
        return [self.chat(message, conversation=shared) for message in messages]

    def close(self) -> None:
        """Close the agent's own threads, when they are idle, and its own sync client."""
        self._clients.close()
        if self._own_threads is not None:
            self._own_threads.shutdown()

    async def aclose(self) -> None:
        """Close the agent's own threads, when they are idle, and its own clients."""
        await self._clients.aclose()
        if self._own_threads is not None:
            # shutdown() blocks; in a thread, the sessions whose tools it waits for can continue.
            await asyncio.to_thread(self._own_threads.shutdown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _turn(
        self, message: str, conversation: Conversation | None, mode: Mode | str | None
    ) -> Turn:
        plan, max_rounds = self._kinds[self._mode if mode is None else Mode(mode)]
        return Turn(plan, conversation or Conversation(), message, max_rounds)

    def _task_turn(
        self, task: str, conversation: Conversation | None, max_iterations: int
    ) -> TaskTurn:
        _at_least_1("max_iterations", max_iterations)
        return TaskTurn(self._task_plan, conversation or Conversation(), task, max_iterations)

    def _checked_mode(self, mode: Mode | str) -> Mode:
        try:
            known = Mode(mode)
        except ValueError:
            raise SettingsError(f"mode is {mode!r}; expected one of {[*map(str, Mode)]}") from None
        if known is Mode.WORKFLOW and self._workflow is None:
            raise SettingsError("mode is 'workflow', but the agent has none; pass workflow=…")
        return known

    def _workflow_of(
        self, mode: Mode | str | None, conversation: Conversation | None
    ) -> Workflow | None:
        chosen = self._mode if mode is None else self._checked_mode(mode)
        if chosen is not Mode.WORKFLOW:
            return None
        if conversation is not None:
            raise SettingsError(
                "a workflow has no conversation: its steps have their own; leave conversation out"
            )
        return self._workflow

    def _refuse_running_loop(self, called: str, instead: str) -> None:
        # A loop that may be blocked still cannot run async tools: they need it free.
        if not self._blocking_in_loop or self._tools.current.has_async:
            refuse_running_loop(called, instead)


def _pools(
    executor: Executor | None, tool_workers: int | None
) -> tuple[ThreadPoolExecutor | None, Executor, Executor | None]:
    """Return the agent's own threads, if it needs any; the threads to use; the processes."""
    if tool_workers is not None and (tool_workers < 1 or executor is not None):
        raise SettingsError(
            f"tool_workers is {tool_workers}; it is at least 1, and not given with an executor"
        )
    if executor is not None and not isinstance(executor, ProcessPoolExecutor):
        return None, executor, None
    # Processes cannot wait for each other's tools; threads of the agent's do that.
    own = ThreadPoolExecutor(tool_workers, "tool")
    return own, own, executor


def _as_answer(result: WorkflowResult) -> Answer:
    last = next(reversed(list(result.results.values())), "")
    answers = [value for value in result.results.values() if isinstance(value, Answer)]
    return Answer(
        text=str(last),
        rounds=sum(answer.rounds for answer in answers),
        usage=result.usage,
        finish_reason="stop",
    )


def _limiter(name: str, limit: int | None) -> Slots:
    return Unlimited() if limit is None else Limiter(_at_least_1(name, limit))


def _at_least_1(name: str, value: int) -> int:
    if value < 1:
        raise SettingsError(f"{name} is {value}; expected at least 1")
    return value


def _positive(name: str, seconds: float | None) -> float | None:
    if seconds is not None and not seconds > 0:
        raise SettingsError(f"{name} is {seconds}; expected more than 0 seconds")
    return seconds
