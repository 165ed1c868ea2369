"""The event loops: factories of a few lines, by name."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvloop

from ...mocks.clock import Clock, SkippingClock
from ...mocks.clock.loops.asyncio_loop import SkippingEventLoop
from ...mocks.clock.loops.polling import WaitingEventLoop
from ...mocks.clock.loops.uvloop_loop import SkippingUvloop
from ...mocks.errors import UsageError
from ...mocks.sandbox import require_loopback

LoopFactory = Callable[[Clock], asyncio.AbstractEventLoop]


def asyncio_loop(clock: Clock) -> asyncio.AbstractEventLoop:
    """Return asyncio's selector loop on ``clock``."""
    if isinstance(clock, SkippingClock):
        return SkippingEventLoop(clock)
    return WaitingEventLoop()


def uvloop_loop(clock: Clock) -> asyncio.AbstractEventLoop:
    """Return uvloop's loop on ``clock``."""
    if isinstance(clock, SkippingClock):
        return SkippingUvloop(clock)
    return _LoopbackUvloop()


def eager_loop(clock: Clock) -> asyncio.AbstractEventLoop:
    """Return asyncio's loop with eager tasks, which begin to run before they are scheduled."""
    loop = asyncio_loop(clock)
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


LOOPS: Mapping[str, LoopFactory] = {
    "asyncio": asyncio_loop,
    "uvloop": uvloop_loop,
    "eager": eager_loop,
}


def require_loop(name: str) -> LoopFactory:
    """Return the factory of a loop by its name.

    Raises:
        UsageError: There is none of that name, or this Python has none.
    """
    if name not in LOOPS:
        raise UsageError(f"loop {name!r}: expected one of {', '.join(LOOPS)}")
    if name == "eager" and sys.version_info < (3, 12):
        raise UsageError("loop 'eager': eager tasks need Python 3.12 or later")
    return LOOPS[name]


class _LoopbackUvloop(uvloop.Loop):
    """uvloop resolves and connects in libuv, where no audit hook sees it: checked here."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        require_loopback(host)
        return await super().getaddrinfo(host, port, **options)

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        require_loopback(host)
        return await super().create_connection(protocol_factory, host, port, **options)

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        if remote_addr is not None:
            require_loopback(remote_addr[0])
        return await super().create_datagram_endpoint(
            protocol_factory, local_addr, remote_addr, **options
        )

    async def sock_connect(self, sock: Any, address: Any) -> None:
        if isinstance(address, tuple):
            require_loopback(address[0])
        await super().sock_connect(sock, address)
