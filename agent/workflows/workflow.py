"""A workflow: built step by step, run in a thread or in an event loop."""

import asyncio
import inspect
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from ..drivers.coroutines import as_coroutine
from ..drivers.running_loop import refuse_running_loop
from ..errors import StepFailedError
from ..tools.executors import until_ended
from ..tools.invocation import is_awaited
from .graph import Action, Condition, Decorated, Graph, Step, StepContext, TwinAction
from .progress import Progress, WorkflowResult

Function = Callable[[StepContext], object]


class Workflow:
    """Steps that depend on each other; ``arun`` runs independent steps concurrently.

        workflow = Workflow()
        workflow.add("facts", Prompt(researcher, "Find facts on {task}"))
        workflow.add("draft", Prompt(writer, "Write, from these: {facts}"), after=["facts"])
        result = await workflow.arun("the history of tea")

    A workflow may run any number of times, also concurrently. A step that fails after its retries
    ends the run: running steps are cancelled, and later ones do not start.
    """

    def __init__(self) -> None:
        self._graph = Graph()

    def add(
        self,
        name: str,
        action: Action,
        *,
        after: Collection[str] = (),
        condition: Condition | None = None,
        retries: int = 0,
        retry_delay_s: float = 0.0,
    ) -> None:
        """Add a step; see ``Step`` for the arguments.

        Raises:
            WorkflowError: The name is taken, or the step would wait for itself.
        """
        names = (after,) if isinstance(after, str) else tuple(after)
        self._graph.add(
            Step(
                name=name,
                action=action,
                after=names,
                condition=condition,
                retries=retries,
                retry_delay_s=retry_delay_s,
            )
        )

    def step(
        self,
        *,
        after: Collection[str] = (),
        condition: Condition | None = None,
        retries: int = 0,
        retry_delay_s: float = 0.0,
    ) -> Callable[[Decorated], Decorated]:
        """Add the decorated function as a step of that name; the function stays as it is."""

        def added(function: Decorated) -> Decorated:
            self.add(
                function.__name__,
                function,
                after=after,
                condition=condition,
                retries=retries,
                retry_delay_s=retry_delay_s,
            )
            return function

        return added

    def run(self, task: str = "") -> WorkflowResult:
        """Run the steps one after another in this thread; async ones in a loop of their own.

        Raises:
            StepFailedError: A step failed after its retries.
            WorkflowError: A step comes after one that was not added.
            RunningLoopError: This thread runs an event loop.
        """
        refuse_running_loop("workflow.run", "workflow.arun")
        progress = Progress(self._graph, task)
        while steps := progress.ready():
            for step in steps:
                _perform(step, progress)
        return progress.result()

    async def arun(self, task: str = "") -> WorkflowResult:
        """Run each step as soon as those before it have ended; plain functions in threads.

        Raises:
            StepFailedError: A step failed after its retries; other running steps were cancelled.
            WorkflowError: A step comes after one that was not added.
        """
        progress = Progress(self._graph, task)
        with ThreadPoolExecutor(thread_name_prefix="step") as threads:
            try:
                async with asyncio.TaskGroup() as group:

                    def begin_ready() -> None:
                        for step in progress.ready():
                            group.create_task(perform(step))

                    async def perform(step: Step) -> None:
                        await _perform_async(step, progress, threads)
                        begin_ready()

                    begin_ready()
            except BaseExceptionGroup as failures:
                failed, others = failures.split(StepFailedError)
                if failed is None or others is not None:
                    raise
                raise failed.exceptions[0] from failed.exceptions[0].__cause__
            return progress.result()


def _perform(step: Step, progress: Progress) -> None:
    context = progress.context(step)
    tries = 0
    while True:
        try:
            if step.condition is not None and not _call(step.condition, context):
                progress.skipped(step.name)
            else:
                progress.succeeded(step, _call(step.action, context))
        except Exception as error:
            tries += 1
            if tries > step.retries:
                raise StepFailedError(step.name, f"{type(error).__name__}: {error}") from error
            time.sleep(step.retry_delay_s)
        else:
            return


async def _perform_async(step: Step, progress: Progress, threads: ThreadPoolExecutor) -> None:
    context = progress.context(step)
    tries = 0
    while True:
        try:
            wanted = step.condition is None or await _call_async(step.condition, context, threads)
            if not wanted:
                progress.skipped(step.name)
            else:
                result = await _call_async(step.action, context, threads)
                progress.succeeded(step, result)
        except Exception as error:
            tries += 1
            if tries > step.retries:
                raise StepFailedError(step.name, f"{type(error).__name__}: {error}") from error
            await asyncio.sleep(step.retry_delay_s)
        else:
            return


def _call(function: Action | Condition, context: StepContext) -> object:
    if isinstance(function, TwinAction):
        return function.act(context)
    result = function(context)
    return asyncio.run(as_coroutine(result)) if inspect.isawaitable(result) else result


async def _call_async(
    function: Action | Condition, context: StepContext, threads: ThreadPoolExecutor
) -> object:
    if isinstance(function, TwinAction):
        return await function.act_async(context)
    if is_awaited(function):
        result = function(context)
    else:
        # A plain function may block, so it runs in a thread, with the caller's context variables.
        submitted = threads.submit(copy_context().run, function, context)
        await until_ended(submitted)
        result = submitted.result()
    return await result if inspect.isawaitable(result) else result
