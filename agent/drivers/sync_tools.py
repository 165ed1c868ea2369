"""Runs the tools of one answer concurrently, in threads."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial

from ..messages import ToolResult
from ..observability.observer import SessionSpan
from ..tools.executors import submit
from ..tools.invocation import Invocation
from .runtime import Runtime


def run_tools(
    invocations: Sequence[Invocation],
    runtime: Runtime,
    span: SessionSpan,
    deadline_s: float | None = None,
) -> list[ToolResult]:
    """Run tools concurrently, as far as the limits allow; results are in the calls' order.

    The calling thread runs tools too. So a single call without a time limit stays in that
    thread, a session continues even if no worker is free, and a full pool cannot deadlock.

    Args:
        invocations: The calls.
        runtime: Executor and limits.
        span: The span of the session.
        deadline_s: When the session must be over, on ``time.monotonic``.

    Raises:
        ToolFailedError: A critical tool failed; calls that have not started do not start.
        SessionTimeoutError: The deadline has passed. Running functions continue, unused.
    """
    if not invocations:
        return []
    limits_s = [_limit_s(invocation, deadline_s) for invocation in invocations]
    # The calling thread itself runs the first call without a time limit.
    own = limits_s.index(None) if None in limits_s else None
    futures = [
        None if index == own else _submit(invocation, runtime, span)
        for index, invocation in enumerate(invocations)
    ]
    results = []
    try:
        mine = None if own is None else _here(invocations[own], runtime, span)
        for invocation, future, limit_s in zip(invocations, futures, limits_s, strict=True):
            if future is None:
                assert mine is not None
                result = mine
            elif limit_s is not None:
                result = _in_time(invocation, future, limit_s, deadline_s, runtime)
            elif future.cancel():
                # No worker has started the call: this thread takes it back.
                result = _here(invocation, runtime, span)
            else:
                result = future.result()
            results.append(invocation.checked(result))
    finally:
        # Only an error or an interrupt (Ctrl-C, SystemExit) reaches this early: start no more.
        for future in futures:
            if future is not None:
                future.cancel()
    runtime.meter.tool_calls(len(results), sum(result.failed for result in results))
    return results


def _submit(invocation: Invocation, runtime: Runtime, span: SessionSpan) -> "Future[ToolResult]":
    work = partial(copy_context().run, _run_limited, invocation, runtime, span)
    return submit(runtime.threads, work)


def _here(invocation: Invocation, runtime: Runtime, span: SessionSpan) -> ToolResult:
    return copy_context().run(_run_limited, invocation, runtime, span)


def _run_limited(invocation: Invocation, runtime: Runtime, span: SessionSpan) -> ToolResult:
    with ExitStack() as slots:
        # First the tool's own limit: a call that waits for that blocks no other tool.
        for limiter in (invocation.tool.limiter, runtime.tool_limiter):
            limiter.acquire()
            slots.callback(limiter.release)
        with span.execute_tool(invocation) as tool_span, tool_span.active():
            elsewhere = invocation.tool.executor or runtime.processes
            if elsewhere is None or invocation.is_async:
                result = invocation.run()
            else:
                result = invocation.result_of(invocation.submit(elsewhere))
            tool_span.ended(result)
    return result


def _in_time(
    invocation: Invocation,
    future: "Future[ToolResult]",
    limit_s: float,
    deadline_s: float | None,
    runtime: Runtime,
) -> ToolResult:
    try:
        return future.result(max(0.0, limit_s - time.monotonic()))
    except TimeoutError as error:
        future.cancel()
        if limit_s == deadline_s:
            raise runtime.session_timed_out() from error
        return invocation.timed_out()


def _limit_s(invocation: Invocation, deadline_s: float | None) -> float | None:
    """Return when a call must be over, on ``time.monotonic``; ``None`` if there is no limit."""
    # An async tool applies its own timeout, in its own event loop.
    if invocation.is_async or invocation.tool.timeout_s is None:
        return deadline_s
    own_s = time.monotonic() + invocation.tool.timeout_s
    return own_s if deadline_s is None else min(own_s, deadline_s)
