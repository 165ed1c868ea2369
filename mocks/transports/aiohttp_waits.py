"""Notes which requests of aiohttp's wait for a free connection: by its own trace hooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from types import SimpleNamespace
from typing import Any

import aiohttp

from ..clock import Clock
from ..clock.patching import patched
from ..observe.traffic import Traffic

CLIENT = "aiohttp"


@contextmanager
def noting_aiohttp_waits(traffic: Traffic, clock: Clock) -> Iterator[None]:
    """Note each wait for a connection of the sessions that are made in this scope.

    Args:
        traffic: What they are noted in.
        clock: Keeps the trial's time.
    """
    with traced_by(_tracing(traffic, clock)):
        yield


@contextmanager
def traced_by(tracing: aiohttp.TraceConfig) -> Iterator[None]:
    """Let the sessions that are made in this scope call more trace hooks than their own."""
    original = aiohttp.ClientSession.__init__

    @wraps(original)
    def make(session: Any, *args: Any, trace_configs: Any = None, **options: Any) -> None:
        original(session, *args, trace_configs=[*(trace_configs or ()), tracing], **options)

    with patched(aiohttp.ClientSession, "__init__", make):
        yield


def _tracing(traffic: Traffic, clock: Clock) -> aiohttp.TraceConfig:
    async def begins(session: Any, context: SimpleNamespace, _params: object) -> None:
        wait = traffic.connection_wait(
            CLIENT,
            _most(session.connector),
            clock.now_ns(),
            is_first=not hasattr(context, "wait"),
        )
        context.wait = wait.__enter__()

    async def ends(_session: object, context: SimpleNamespace, _params: object) -> None:
        wait, context.wait = context.wait, None
        # When it was free is not told: only when the request goes on.
        wait.is_granted(clock.now_ns())
        wait.__exit__(None, None, None)

    async def fails(
        _session: object, context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        wait = getattr(context, "wait", None)
        if wait is None:
            return
        if isinstance(params.exception, TimeoutError):
            wait.times_out()
        wait.__exit__(None, None, None)

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_queued_start.append(begins)
    tracing.on_connection_queued_end.append(ends)
    tracing.on_request_exception.append(fails)
    return tracing


def _most(connector: aiohttp.BaseConnector) -> int:
    """Return the limit that holds a request up: of all connections, or of those to one host."""
    return min(limit for limit in (connector.limit, connector.limit_per_host) if limit)
