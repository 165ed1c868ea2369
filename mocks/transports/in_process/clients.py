"""The HTTP clients that a mocked world answers in-process: one module each.

To add one, write its module, a context manager over an ``OpenWorld``, and name it here.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Protocol

from ...world.world import World
from ..when_imported import when_imported
from .connection import OpenWorld
from .http_client import mocked_http_client
from .router import mocked_httpx


class Mocks(Protocol):
    """Answers every request of one client from a world, for a scope."""

    def __call__(self, opened: OpenWorld, /) -> AbstractContextManager[None]:
        """Return the scope."""
        ...


@dataclass(frozen=True, slots=True)
class OnceImported:
    """A client that is mocked as soon as its package is imported.

    Attributes:
        package: The package, or the module of it that has the client.
        module: The module here that mocks it, which imports the package.
        name: Name of the ``Mocks`` in it.
    """

    package: str
    module: str
    name: str

    def mocks(self) -> Mocks:
        """Import the module, and return what mocks the client."""
        mocks: Mocks = getattr(importlib.import_module(f".{self.module}", __package__), self.name)
        return mocks


ALWAYS: tuple[Mocks, ...] = (lambda opened: mocked_httpx(opened.world), mocked_http_client)
"""httpx, httpx2, and what the standard library has."""

ONCE_IMPORTED = (
    OnceImported("urllib3", "urllib3_client", "mocked_urllib3"),
    OnceImported("aiohttp", "aiohttp_client", "mocked_aiohttp"),
    OnceImported("tornado.httpclient", "tornado_client", "refusing_tornado"),
    OnceImported("pycurl", "pycurl_client", "refusing_pycurl"),
    OnceImported("grpc", "grpc_client", "refusing_grpc"),
)
"""The clients that the lab does not need for itself; those that send by themselves are refused."""


@contextmanager
def mocked_http(world: World) -> Iterator[None]:
    """Answer every request of every client here from ``world`` in this scope."""
    opened = OpenWorld(world)
    lock = Lock()
    with ExitStack() as scope:
        for mocks in ALWAYS:
            scope.enter_context(mocks(opened))

        def opens(client: OnceImported) -> None:
            with lock:
                scope.enter_context(client.mocks()(opened))

        by_package: dict[str, Callable[[], None]] = {
            client.package: partial(opens, client) for client in ONCE_IMPORTED
        }
        with when_imported(by_package):
            try:
                yield
            finally:
                opened.is_over = True
