"""How a session reaches the model: in-process, or over real sockets with one client or another.

Each way opens a mocked world, says where it is, and tells afterwards what it saw. Sockets
need real time; in-process, every clock will do.

What opens a world is imported when a trial is prepared: a list of transports needs no HTTP client.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..clock import Clock
from ..errors import UsageError
from ..observe.streams import Streams
from .clients import AIOHTTP, SDK_CLIENT, HttpClient, HttpClients

if TYPE_CHECKING:
    from ..model import Manner, Rule
    from ..observe.isolation import Leak
    from ..observe.meter import Meter
    from ..observe.refusals import Refusal
    from ..observe.requests import Requests
    from ..observe.waits import Wait
    from ..observe.wrong_requests import WrongRequest
    from ..world.world import WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the mocked world saw of a trial.

    Attributes:
        http_requests: Requests that reached it.
        llm_calls: Model calls begun.
        peak_in_flight: Greatest number of model calls waiting at one time.
        waits: The calls that are over, if a server noted them; ``None`` if the trial's meter did.
        asked_ns: When each model call was asked for first, by session and step.
        read_ns: When the answer of each was first there in whole, for a client that waited for it.
        read_again: The answers beyond the first of a call: its session, step, when it was there.
        latencies_ns: The drawn latency of each model call that was asked for, likewise.
        lab_tools_asked: How many calls of the lab's tools each answer asked for, if any.
        rules: How many requests to the model each rule booked.
        inputs: How many inputs of requests to endpoints each rule booked.
        manners: How many there were of each manner.
        tools_declared: Names of the tools that any request declared.
        streams: The streamed model calls: in-process as the client's code took them up, over
            sockets as the server sent them.
        refusals: The requests that nothing mocks, in the order in which they were refused.
        leaks: Text of other sessions that requests of a session held.
        wrong_requests: The requests to the model that the real API refuses.
        cache_hits: How many outputs that are nobody's text were taken up by another session.
        own_calls: The model calls that hold text of their own session, by number and step.
        follow_ups: The model calls that a service made after its response, by session and step.
        requests: The requests to the model, if they were to be summed up.
        server_capacity_per_s: Requests without latency that the server can answer a second.
        server_utilisation: CPU seconds that it took per second of the trial.
    """

    http_requests: int
    llm_calls: int
    peak_in_flight: int
    waits: "tuple[Wait, ...] | None"
    asked_ns: Mapping[tuple[int, int], int]
    read_ns: Mapping[tuple[int, int], int]
    tools_declared: frozenset[str]
    read_again: tuple[tuple[int, ...], ...] = ()
    latencies_ns: Mapping[tuple[int, int], int] = field(default_factory=dict)
    lab_tools_asked: Mapping[tuple[int, int], int] = field(default_factory=dict)
    rules: "Mapping[Rule, int]" = field(default_factory=dict)
    inputs: "Mapping[Rule, int]" = field(default_factory=dict)
    manners: "Mapping[Manner, int]" = field(default_factory=dict)
    streams: Streams = field(default_factory=Streams)
    refusals: "tuple[Refusal, ...]" = ()
    leaks: "tuple[Leak, ...]" = ()
    wrong_requests: "tuple[WrongRequest, ...]" = ()
    cache_hits: int = 0
    own_calls: frozenset[tuple[int, int]] = frozenset()
    follow_ups: frozenset[tuple[int, int]] = frozenset()
    requests: "Requests | None" = None
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


Opens = Callable[["WorldSpec", Clock, "Meter | None"], AbstractContextManager[Reached]]
"""Opens a world, by which everything in its scope reaches the model.

It is told the world, the clock that keeps the trial's time, and what notes its waits where it is
in this process; a server has a meter of its own. It raises ``TrialError`` if a server does not
start.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """A way of reaching the model.

    Attributes:
        name: As it is asked for and shown.
        summary: What it is, in one line.
        loads: Imports what opens a world that is reached in this way, and returns it. Call it
            outside a clock's scope: a module that is imported inside may bind the scope's time.
        in_process: Whether it needs no socket, and so runs on every clock.
        client: What sends the requests of async clients.
        packages: The packages that it comes with, whose versions can change a figure.
    """

    name: str
    summary: str
    loads: Callable[[], Opens]
    in_process: bool = False
    client: HttpClient = SDK_CLIENT
    packages: tuple[str, ...] = ()

    def clients(self) -> HttpClients:
        """Return what makes the HTTP clients of one trial."""
        return HttpClients(self.client)

    def refusal(self, *, is_async: bool) -> str | None:
        """Return why sessions of this form cannot be driven over it; ``None`` if they can."""
        if is_async or self.client.sends_sync:
            return None
        return f"{self.client.name} has no sync client"


def _in_process() -> Opens:
    from .in_process.reached import reached_in_process  # noqa: PLC0415 - see above

    return reached_in_process


def _over_loopback() -> Opens:
    from .loopback.reached import reached_over_loopback  # noqa: PLC0415 - see above

    return reached_over_loopback


def _over_loopback_by_aiohttp() -> Opens:
    # Its waits for a connection are looked for where it is imported.
    import aiohttp  # noqa: F401, PLC0415 - see above

    return _over_loopback()


RESPX = Transport(
    name="respx",
    summary="in-process, without a socket",
    loads=_in_process,
    in_process=True,
    packages=("respx",),
)
"""The usual one: what is measured unless another is named."""

LOOPBACK = Transport(
    name="loopback",
    summary="real sockets to a server on this machine, by the SDK's own client",
    loads=_over_loopback,
)
LOOPBACK_AIOHTTP = Transport(
    name="loopback-aiohttp",
    summary="the same by aiohttp, for async sessions",
    loads=_over_loopback_by_aiohttp,
    client=AIOHTTP,
)

TRANSPORTS: Mapping[str, Transport] = {
    transport.name: transport for transport in (RESPX, LOOPBACK, LOOPBACK_AIOHTTP)
}


def require_transport(name: str) -> Transport:
    """Return a transport by its name.

    Raises:
        UsageError: There is none of that name, or what it needs is not installed.
    """
    transport = TRANSPORTS.get(name)
    if transport is None:
        raise UsageError(f"transport {name!r}: expected one of {', '.join(TRANSPORTS)}")
    transport.client.require(f"transport {name!r}")
    return transport
