"""Methods of asyncio's loops that check names: a loop resolves them in a thread of its pool.

There the audit hook would refuse them as well, but a refusal is counted for the session that asks,
and the pool's thread does not know which that is.
"""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any

from .addresses import require_loopback
from .replacing import Methods

Method = Callable[..., Any]


def asyncio_loop() -> type:
    """Return the class that gets the methods."""
    return asyncio.BaseEventLoop


def asyncio_methods() -> Methods:
    """Return methods for asyncio's loops that call those which they have now."""
    return {"getaddrinfo": _getaddrinfo(asyncio.BaseEventLoop.getaddrinfo)}


def _getaddrinfo(original: Method) -> Method:
    @wraps(original)
    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        require_loopback(host)
        return await original(self, host, port, **options)

    return getaddrinfo
