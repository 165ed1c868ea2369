"""A mocked world that is reached over sockets, in a server's process."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from ...clock import Clock
from ...model import Manner, Rule
from ...observe.isolation import Leak
from ...observe.meter import Meter
from ...observe.refusals import Refusal
from ...observe.requests import Requests
from ...observe.streams import Streams
from ...observe.waits import SentRequest, Wait, WaitEnding, WaitKind
from ...observe.wrong_requests import WrongRequest
from ...world.services import service_root
from ...world.world import WorldSpec
from ..registry import Seen
from .app import SERVICES_PATH
from .connection_waits import noting_connection_waits
from .process import ServerProcess
from .session_header import naming_sessions

_ENDPOINTS = {
    "OPENAI_BASE_URL": "/v1",
    "ANTHROPIC_BASE_URL": "",
    "GOOGLE_GEMINI_BASE_URL": "",
    "CO_API_URL": "",
}


@contextmanager
def reached_over_loopback(
    spec: WorldSpec, clock: Clock, meter: Meter | None
) -> "Iterator[ReachedOverLoopback]":
    """Open a world in a server's process; see ``Opens``.

    Raises:
        TrialError: Its server did not start.
    """
    noting = nullcontext() if meter is None else noting_connection_waits(meter, clock)
    with noting, ServerProcess(spec) as server, naming_sessions(server.root), _named(server.root):
        yield ReachedOverLoopback(server, spec, meter)


@contextmanager
def _named(root: str) -> Iterator[None]:
    """Name the server in the environment, where targets that bring their own clients read it."""
    before = {name: os.environ.get(name) for name in _ENDPOINTS}
    os.environ.update({name: root + path for name, path in _ENDPOINTS.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class ReachedOverLoopback:
    """A world behind a server; see ``Reached``."""

    def __init__(self, server: ServerProcess, spec: WorldSpec, meter: Meter | None) -> None:
        self._server = server
        self._meter = meter
        self._since_s = time.monotonic()
        self._cpu_from_s = 0.0
        self.root = server.root
        self.service_urls: Mapping[str, str] = {
            service.name: server.root + SERVICES_PATH + service_root(service).replace("://", "/")
            for service in spec.services
        }

    def in_flight(self) -> int:
        """Return 0: the server has the model calls that wait."""
        return 0

    def forget(self) -> None:
        """Have the server forget every request so far."""
        self._cpu_from_s = self._server.forget()["cpu_s"]
        self._since_s = time.monotonic()

    def seen(self) -> Seen:
        """Return what the server saw since."""
        elapsed_s = time.monotonic() - self._since_s
        seen: dict[str, Any] = self._server.seen()
        return Seen(
            http_requests=seen["http_requests"],
            llm_calls=seen["llm_calls"],
            peak_in_flight=seen["peak_in_flight"],
            waits=tuple(_wait(wait) for wait in seen["waits"]),
            asked_ns={(session, step): at_ns for session, step, at_ns in seen["asked_ns"]},
            read_again=tuple(map(tuple, seen["read_again"])),
            latencies_ns={
                (session, step): latency_ns for session, step, latency_ns in seen["latencies_ns"]
            },
            lab_tools_asked={(session, step): n for session, step, n in seen["lab_tools_asked"]},
            rules=Counter({Rule(rule): count for rule, count in seen["rules"].items()}),
            inputs=Counter({Rule(rule): count for rule, count in seen["inputs"].items()}),
            manners=Counter({Manner(each): count for each, count in seen["manners"].items()}),
            read_ns={(session, step): at_ns for session, step, at_ns in seen["read_ns"]},
            tools_declared=frozenset(seen["tools_declared"]),
            streams=_streams(seen["streams"]),
            refusals=self._refusals(seen["refusals"]),
            leaks=tuple(Leak(**each) for each in seen["leaks"]),
            wrong_requests=tuple(WrongRequest(**each) for each in seen["wrong_requests"]),
            cache_hits=seen["cache_hits"],
            follow_ups=frozenset(map(tuple, seen["follow_ups"])),
            requests=None if seen["requests"] is None else Requests(**seen["requests"]),
            server_capacity_per_s=self._server.capacity_per_s,
            server_utilisation=(seen["cpu_s"] - self._cpu_from_s) / max(elapsed_s, 1e-9),
        )

    def _refusals(self, served: Sequence[Mapping[str, Any]]) -> tuple[Refusal, ...]:
        """Return the server's refusals, each with what its client knows of it."""
        sent = () if self._meter is None else self._meter.sent
        known = {each.refusal: _as_its_client_knows(each) for each in sent}
        return tuple(
            Refusal(**{**each, **known.get(number, {})}) for number, each in enumerate(served)
        )


def _as_its_client_knows(sent: SentRequest) -> dict[str, Any]:
    return {
        "session": sent.session,
        "at_ns": sent.start_ns,
        "idle_ns": sent.idle_at_start_ns,
    }


def _streams(seen: dict[str, Any]) -> Streams:
    gaps = {int(length_ns): count for length_ns, count in seen.pop("gaps").items()}
    columns: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in seen.items()
    }
    return Streams(gaps=gaps, **columns)


def _wait(fields: dict[str, Any]) -> Wait:
    kind, ending = WaitKind(fields["kind"]), WaitEnding(fields["ending"])
    return Wait(**{**fields, "kind": kind, "ending": ending})
