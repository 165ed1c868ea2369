"""What a server has done so far, in Prometheus' text format.

Names and labels are few and fixed, so that a server that runs without an end needs no more memory:
requests are labelled with the endpoint's name, never with a path or a session.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ...observe.traffic import Traffic
from ...world.world import Exchange

REFUSED = "refused"
"""Label of a request that nobody answers, in the place of an endpoint."""

_BROKEN = "none"
"""Label of the status where nothing is sent."""

_SECOND_NS = 1_000_000_000
# From a cheap endpoint's to a reasoning model's, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250)


class Metrics:
    """The metrics of one server.

    Args:
        traffic: Knows how many model calls are in flight.

    Attributes:
        content_type: Content type of the text.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, traffic: Traffic) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "warpbench_requests",
            "Requests by endpoint and HTTP status; none: the connection ended without an answer.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "warpbench_request_duration_seconds",
            "Seconds from a request's first byte to the end of its answer.",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._refused = Counter(
            "warpbench_refused_requests",
            "Requests that nothing mocks.",
            registry=self._registry,
        )
        self._tokens = Counter(
            "warpbench_tokens",
            "Tokens of the model's accepted answers, as it reported them: prompt, completion.",
            ["kind"],
            registry=self._registry,
        )
        self._faults = Counter(
            "warpbench_faults", "Scripted faults by kind.", ["kind"], registry=self._registry
        )
        in_flight = Gauge(
            "warpbench_model_calls_in_flight",
            "Model calls that wait for their answers.",
            registry=self._registry,
        )
        in_flight.set_function(lambda: traffic.in_flight)

    @contextmanager
    def answering(self, exchange: Exchange) -> Iterator[None]:
        """Count a request, from when it is to be answered until it is."""
        reply = exchange.reply
        status = str(reply.status) if reply.parts else _BROKEN
        self._requests.labels(exchange.endpoint, status).inc()
        if reply.fault is not None:
            self._faults.labels(reply.fault).inc()
        if exchange.is_accepted:
            self._tokens.labels("prompt").inc(reply.prompt_tokens)
            self._tokens.labels("completion").inc(reply.completion_tokens)
        try:
            yield
        finally:
            took_ns = time.monotonic_ns() - exchange.arrived_ns
            self._durations.labels(exchange.endpoint).observe(took_ns / _SECOND_NS)

    def refuses(self, status: int) -> None:
        """Count a request that nobody answers.

        Args:
            status: HTTP status of the refusal.
        """
        self._requests.labels(REFUSED, str(status)).inc()
        self._refused.inc()

    def text(self) -> bytes:
        """Return the metrics as they are read."""
        return generate_latest(self._registry)
