"""A mocked world that is reached in this process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...clock import Clock
from ...observe.meter import Meter
from ...world.services import service_root
from ...world.world import World, WorldSpec
from ..registry import Seen
from .clients import mocked_http

_OPENAI_ROOT = "https://api.openai.com"


@contextmanager
def reached_in_process(
    spec: WorldSpec, clock: Clock, meter: Meter | None
) -> "Iterator[ReachedInProcess]":
    """Open a world in this process; see ``Opens``."""
    world = spec.world(clock, meter)
    with mocked_http(world):
        yield ReachedInProcess(world, spec)


class ReachedInProcess:
    """A world in this process; see ``Reached``."""

    def __init__(self, world: World, spec: WorldSpec) -> None:
        self._world = world
        self.root = _OPENAI_ROOT
        self.service_urls: Mapping[str, str] = {
            service.name: service_root(service) for service in spec.services
        }

    def in_flight(self) -> int:
        """Count the model calls that wait now."""
        return self._world.traffic.in_flight

    def forget(self) -> None:
        """Forget every request so far."""
        self._world.forget()

    def seen(self) -> Seen:
        """Return what the world saw since; the trial's meter has its waits."""
        traffic, model = self._world.traffic, self._world.model
        return Seen(
            http_requests=traffic.http_requests,
            llm_calls=traffic.llm_calls,
            peak_in_flight=traffic.peak_in_flight,
            waits=None,
            asked_ns=traffic.asked_ns,
            read_again=traffic.read_again,
            latencies_ns=traffic.latencies_ns,
            lab_tools_asked=traffic.lab_tools_asked,
            rules=model.conversations.rules,
            inputs=self._world.inputs,
            manners=model.conversations.counts,
            read_ns=traffic.read_ns,
            tools_declared=model.tools_declared,
            streams=traffic.streams,
            refusals=traffic.refusals,
            leaks=traffic.isolation.leaks,
            wrong_requests=traffic.wrong.noted,
            cache_hits=traffic.isolation.cache_hits,
            own_calls=traffic.isolation.own_calls,
            follow_ups=traffic.follow_ups,
            requests=traffic.requests,
        )
