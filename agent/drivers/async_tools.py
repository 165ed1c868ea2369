"""Runs the tools of one answer concurrently, in an event loop."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

from ..errors import AgentError
from ..messages import ToolResult
from ..observability.observer import SessionSpan
from ..tools.executors import until_ended
from ..tools.invocation import Invocation
from .runtime import Runtime


async def run_tools(
    invocations: Sequence[Invocation], runtime: Runtime, span: SessionSpan
) -> list[ToolResult]:
    """Run tools concurrently, as far as the limits allow; results are in the calls' order.

    When this returns or raises, no task and no thread works on the calls any more, except for
    plain functions that have timed out.

    Raises:
        ToolFailedError: A critical tool failed; the others were cancelled.
        SettingsError: An executor was shut down.
    """
    if not invocations:
        return []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_run_limited(invocation, runtime, span))
                for invocation in invocations
            ]
    except BaseExceptionGroup as failures:
        # A tool that fails is a result (see Invocation), so this is an error of the agent, or
        # something that is not even an Exception.
        ours, others = failures.split(AgentError)
        if others is None and ours is not None:
            raise ours.exceptions[0] from None
        raise
    results = [task.result() for task in tasks]
    runtime.meter.tool_calls(len(results), sum(result.failed for result in results))
    return results


async def _run_limited(invocation: Invocation, runtime: Runtime, span: SessionSpan) -> ToolResult:
    with ExitStack() as slots:
        # First the tool's own limit: a call that waits for that blocks no other tool.
        for limiter in (invocation.tool.limiter, runtime.tool_limiter):
            await limiter.acquire_async()
            slots.callback(limiter.release)
        with span.execute_tool(invocation) as tool_span, tool_span.active():
            if invocation.is_async:
                result = await invocation.run_async()
            else:
                result = await _run_plain(invocation, runtime, slots)
            tool_span.ended(result)
    return invocation.checked(result)


async def _run_plain(invocation: Invocation, runtime: Runtime, slots: ExitStack) -> ToolResult:
    submitted = invocation.submit(runtime.executor)
    ended = await until_ended(submitted, invocation.tool.timeout_s)
    if ended is not None:
        return invocation.result_of(ended)
    if not submitted.cancelled():
        # The function continues, and keeps its slots until it ends.
        kept = slots.pop_all()
        submitted.add_done_callback(lambda _: kept.close())
    return invocation.timed_out()
