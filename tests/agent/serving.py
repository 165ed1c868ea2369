"""Real uvicorn on loopback, in a thread, for tests with real clients."""

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

OPEN_S = 120.0


class _Server(uvicorn.Server):
    """Is told that it should end, and does not look for it ten times a second."""

    async def main_loop(self) -> None:
        self._loop, self._ends = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        await self._ends.wait()

    def end(self) -> None:
        """Let it end, from another thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._ends.set)


class Served:
    """An app being served; may be stopped, and started again on the same port."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self._app = app
        self.port = port
        self.start()

    def start(self) -> None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        app = self._app() if inspect.isfunction(self._app) else self._app
        config = uvicorn.Config(
            app, log_level="critical", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve([listening])), name="uvicorn"
        )
        self._thread.start()
        deadline_s = time.monotonic() + OPEN_S
        while not self._server.started:
            assert self._thread.is_alive(), "uvicorn did not start"
            assert time.monotonic() < deadline_s, "uvicorn did not start in time"
            time.sleep(0.005)
        self._listening = listening

    def stop(self) -> None:
        self._server.end()
        self._thread.join(OPEN_S)
        assert not self._thread.is_alive(), "uvicorn did not stop"
        self._listening.close()


@contextmanager
def serving(app: Any) -> Iterator[Served]:
    """Serve an app, or what a function makes anew at each start, on a free port of loopback."""
    _skip_without_loopback()
    served = Served(app)
    try:
        yield served
    finally:
        served.stop()


def _skip_without_loopback() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        try:
            socket.create_connection(listening.getsockname(), OPEN_S).close()
        except OSError as error:
            pytest.skip(f"there is no loopback here ({error})")
