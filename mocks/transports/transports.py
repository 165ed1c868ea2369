"""How a session reaches the model: in-process, or over real sockets with one client or another.

Each way opens a mocked world, says where it is, and tells afterwards what it saw. Sockets
need real time; in-process, every clock will do.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from openai import DefaultAioHttpClient

from ..clock import Clock
from ..observe.meter import Meter
from ..observe.waits import Wait, WaitKind
from ..world.services import service_root
from ..world.world import World, WorldSpec
from .in_process.router import mocked_http
from .loopback import SERVICES_PATH, ServerProcess
from .registry import HttpClient, Transport

_OPENAI_ROOT = "https://api.openai.com"
_ENDPOINTS = {"OPENAI_BASE_URL": "/v1", "ANTHROPIC_BASE_URL": ""}


class HttpClients:
    """Makes the HTTP clients of one trial's targets, and closes them.

    Attributes:
        asked: How often a target has asked for one.

    Args:
        kind: What they are.
    """

    def __init__(self, kind: HttpClient = HttpClient.HTTPX2) -> None:
        self.asked = 0
        self._kind = kind
        self._made: list[httpx2.AsyncClient] = []

    def make(self) -> httpx2.AsyncClient | None:
        """Return the ``http_client`` for an ``AsyncOpenAI``; ``None`` for its own."""
        self.asked += 1
        if self._kind is HttpClient.HTTPX2:
            return None
        client = DefaultAioHttpClient()
        self._made.append(client)
        return client

    async def close(self) -> None:
        """Close them, on the loop on which they were used."""
        for client in self._made:
            await client.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the mocked world saw of a trial.

    Attributes:
        http_requests: Requests that reached it.
        llm_calls: Model calls begun.
        peak_in_flight: Greatest number of model calls waiting at one time.
        waits: The calls that are over, if a server noted them; in-process the trial's meter has.
        answered: Model calls answered, by session; a repeated one counts once.
        tools_declared: Names of the tools that any request declared.
        server_capacity_per_s: Requests without latency that the server can answer a second.
        server_utilisation: CPU seconds that it took per second of the trial.
    """

    http_requests: int
    llm_calls: int
    peak_in_flight: int
    waits: tuple[Wait, ...]
    answered: Mapping[int, int]
    tools_declared: frozenset[str]
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None


class Reached(Protocol):
    """A mocked world that can be reached."""

    root: str
    """Address of the model's APIs, without a path."""

    service_urls: Mapping[str, str]
    """Scheme and host of each HTTP service, by its name, as they are to be called."""

    def in_flight(self) -> int:
        """Count the model calls that wait now; 0 where a server has them."""
        ...

    def forget(self) -> None:
        """Forget every request so far."""
        ...

    def seen(self) -> Seen:
        """Return what it saw since."""
        ...


@contextmanager
def reached(
    transport: Transport, spec: WorldSpec, clock: Clock, meter: Meter | None = None
) -> Iterator[Reached]:
    """Open a world, by which everything in this scope reaches the model.

    Args:
        transport: How it is reached.
        spec: The world.
        clock: Keeps the trial's time.
        meter: Notes its waits where it is in this process; a server has one of its own.

    Raises:
        TrialError: Its server did not start.
    """
    if transport.in_process:
        world = spec.world(clock, meter)
        with mocked_http(world):
            yield _InProcess(world, spec)
        return
    with ServerProcess(spec) as server:
        # Targets that bring their own clients read these.
        for name, path in _ENDPOINTS.items():
            os.environ[name] = server.root + path
        yield _Loopback(server, spec)


class _InProcess:
    def __init__(self, world: World, spec: WorldSpec) -> None:
        self._world = world
        self.root = _OPENAI_ROOT
        self.service_urls: Mapping[str, str] = {
            service.name: service_root(service) for service in spec.services
        }

    def in_flight(self) -> int:
        return self._world.traffic.in_flight

    def forget(self) -> None:
        self._world.forget()

    def seen(self) -> Seen:
        traffic, model = self._world.traffic, self._world.model
        return Seen(
            http_requests=traffic.http_requests,
            llm_calls=traffic.llm_calls,
            peak_in_flight=traffic.peak_in_flight,
            waits=(),
            answered=model.answered,
            tools_declared=model.tools_declared,
        )


class _Loopback:
    def __init__(self, server: ServerProcess, spec: WorldSpec) -> None:
        self._server = server
        self._since_s = time.monotonic()
        self._cpu_from_s = 0.0
        self.root = server.root
        self.service_urls: Mapping[str, str] = {
            service.name: server.root + SERVICES_PATH + service_root(service).replace("://", "/")
            for service in spec.services
        }

    def in_flight(self) -> int:
        return 0

    def forget(self) -> None:
        self._cpu_from_s = self._server.forget()["cpu_s"]
        self._since_s = time.monotonic()

    def seen(self) -> Seen:
        elapsed_s = time.monotonic() - self._since_s
        seen: dict[str, Any] = self._server.seen()
        return Seen(
            http_requests=seen["http_requests"],
            llm_calls=seen["llm_calls"],
            peak_in_flight=seen["peak_in_flight"],
            waits=tuple(_wait(wait) for wait in seen["waits"]),
            answered={int(session): count for session, count in seen["answered"].items()},
            tools_declared=frozenset(seen["tools_declared"]),
            server_capacity_per_s=self._server.capacity_per_s,
            server_utilisation=(seen["cpu_s"] - self._cpu_from_s) / max(elapsed_s, 1e-9),
        )


def _wait(fields: dict[str, Any]) -> Wait:
    return Wait(**{**fields, "kind": WaitKind(fields["kind"])})
