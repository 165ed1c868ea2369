"""Is what the lab says true? Against a target that costs next to nothing, over real sockets.

A session sends one request by a bare socket; how long the answer takes is drawn beforehand. What
the lab measures on the wall clock must be that: the median within 1 ms, p99 within 2 ms.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from warpbench.bench.plan import Factors, cells_of
from warpbench.bench.strategies import available_strategies
from warpbench.bench.target import Lab
from warpbench.bench.trial import NotApplicable, prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import parse_scenario

GOAL_MEDIAN_MS = 1.0
GOAL_P99_MS = 2.0
PATH = "/v1/chat/completions"
SCENARIO = """
name = "known"
description = "One call whose latency is known."
sessions = 400
[model]
latency_s = { uniform = { low = 0.02, high = 0.08 } }
[[rounds]]
"""


class Asker:
    """A target that asks once a session, by a bare socket that is open already where it can be."""

    def __init__(self) -> None:
        self.idle: list[socket.socket] = []

    def build(self, lab: Lab) -> Callable[[str], Awaitable[str]]:
        host, _, port = lab.base_url.removeprefix("http://").removesuffix("/v1").partition(":")

        async def session(task: str) -> str:
            loop = asyncio.get_running_loop()
            message = {"role": "user", "content": task}
            body = json.dumps({"model": lab.model, "messages": [message]})
            head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
            if self.idle:
                connection = self.idle.pop()
            else:
                connection = socket.socket()
                connection.setblocking(False)
                await loop.sock_connect(connection, (host, int(port)))
            await loop.sock_sendall(connection, (head + body).encode())
            answer = b""
            while not answer.endswith(b"}"):
                answer += await loop.sock_recv(connection, 1 << 16)
            self.idle.append(connection)
            text = json.loads(answer.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"]
            return str(text)

        return session

    def close(self) -> None:
        for connection in self.idle:
            connection.close()


@pytest.mark.benchmark(group="accuracy")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("concurrency", [1, 10])
def test_latencies_over_sockets_are_those_that_were_drawn(
    benchmark: Any, loop: str, concurrency: int
) -> None:
    enabled = not benchmark.disabled
    (spec,) = cells_of(
        Factors(
            scenarios=(parse_scenario(SCENARIO, "known"),),
            strategies=(available_strategies()["gather"],),
            loops=(loop,),
            concurrency=(concurrency,),
            session_count=400 if enabled else 4,
            clock=ClockMode.WALL,
            transports=("loopback",),
        )
    )

    def measure() -> list[float]:
        asker = Asker()
        with closing(asker), prepared_here(spec, asker.build) as run:
            assert not isinstance(run, NotApplicable)
            trial = run()
        assert all(sample.error is None for sample in trial.samples)
        return sorted(
            (sample.latency_ns - trial.ideal_latencies_ns[sample.session]) / 1e6
            for sample in trial.samples
        )

    late_ms = benchmark.pedantic(measure, rounds=1, iterations=1)

    assert late_ms[0] >= 0  # a wait that ends early is a bug, on any machine
    median, p99 = late_ms[len(late_ms) // 2], late_ms[len(late_ms) * 99 // 100]
    benchmark.extra_info |= {"median_late_ms": median, "p99_late_ms": p99}
    if enabled:
        print(f"\n{loop}, {concurrency} at once: late by {median:.2f} ms, p99 {p99:.2f} ms")
        assert median <= GOAL_MEDIAN_MS
        # Of ten at once some come due together, and queue for a core: that is the truth.
        assert p99 <= GOAL_P99_MS or concurrency > 1
