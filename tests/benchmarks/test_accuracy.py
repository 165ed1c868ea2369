"""Is what the lab says true? Against a target that costs next to nothing, over real sockets.

A session sends one request by a bare socket; how long the answer takes is drawn beforehand. What
the lab measures on the wall clock is held against two truths, the median within 1 ms and p99 within
2 ms of each: the target's own stopwatch, which knows nothing of the lab, and the drawn latency.

For the drawn one the machine has to be able to keep time: a shared one wakes a sleeper 2 to 4 ms
late in one case of a hundred, whatever the program. In turns with the lab's sessions the plainest
pair of processes waits for the same latencies; what it shows is the machine's, and told beside.
"""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import available_strategies
from warpbench.bench.targets.loading import Lab
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import parse_scenario

from .bare_pair import bare_pair

GOAL_MEDIAN_MS = 1.0
GOAL_P99_MS = 2.0
MS = 1_000_000
SESSIONS = 100
TURNS = 6
PATH = "/v1/chat/completions"
SCENARIO = """
name = "known"
description = "One call whose latency is known."
sessions = 100
[model]
latency_s = { uniform = { low = 0.02, high = 0.08 } }
[[rounds]]
"""


class Asker:
    """A target that asks once a session, by a bare socket that is open already where it can be.

    Attributes:
        took_ns: How long each session took by its own stopwatch, by its number; the latest turn.
    """

    def __init__(self) -> None:
        self.took_ns: dict[int, int] = {}
        self._idle: list[socket.socket] = []
        self._numbers = {task_of(number, "known"): number for number in range(SESSIONS)}

    def build(self, lab: Lab) -> Callable[[str], Awaitable[str]]:
        host, _, port = lab.base_url.removeprefix("http://").removesuffix("/v1").partition(":")

        async def session(task: str) -> str:
            begin_ns = time.monotonic_ns()
            loop = asyncio.get_running_loop()
            message = {"role": "user", "content": task}
            body = json.dumps({"model": lab.model, "messages": [message]})
            head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
            if self._idle:
                connection = self._idle.pop()
            else:
                connection = socket.socket()
                connection.setblocking(False)
                await loop.sock_connect(connection, (host, int(port)))
            await loop.sock_sendall(connection, (head + body).encode())
            answer = b""
            while not answer.endswith(b"}"):
                answer += await loop.sock_recv(connection, 1 << 16)
            self._idle.append(connection)
            text = json.loads(answer.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"]
            self.took_ns[self._numbers.get(task, -1)] = time.monotonic_ns() - begin_ns
            return str(text)

        return session

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


@dataclass(frozen=True)
class Late:
    """By how much latencies were late, in nanoseconds, in ascending order.

    Attributes:
        of_drawn: What the lab measured, beyond what was drawn.
        of_stopwatch: The same, beyond the target's own stopwatch.
        of_bare_pair: What the plainest pair of processes took beyond what it was asked for.
    """

    of_drawn: list[int]
    of_stopwatch: list[int]
    of_bare_pair: list[int]


def late_in_turns(spec: TrialSpec, turns: int) -> Late:
    of_drawn: list[int] = []
    of_stopwatch: list[int] = []
    of_bare_pair: list[int] = []
    asker = Asker()
    with bare_pair() as ask, closing(asker), prepared_here(spec, asker.build) as run:
        assert not isinstance(run, NotApplicable)
        for _ in range(turns):
            trial = run()
            assert all(sample.error is None for sample in trial.samples)
            drawn_ns = trial.ideal_latencies_ns
            of_drawn += [s.latency_ns - drawn_ns[s.session] for s in trial.samples]
            of_stopwatch += [s.latency_ns - asker.took_ns[s.session] for s in trial.samples]
            of_bare_pair += ask(drawn_ns, spec.cell.concurrency)
    return Late(sorted(of_drawn), sorted(of_stopwatch), sorted(of_bare_pair))


def median_and_p99_ms(late_ns: list[int]) -> tuple[float, float]:
    return late_ns[len(late_ns) // 2] / MS, late_ns[len(late_ns) * 99 // 100] / MS


@pytest.mark.benchmark(group="accuracy")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("concurrency", [1, 10])
def test_latencies_over_sockets_are_true(benchmark: Any, loop: str, concurrency: int) -> None:
    enabled = not benchmark.disabled
    (spec,) = cells_of(
        Factors(
            scenarios=(parse_scenario(SCENARIO, "known"),),
            strategies=(available_strategies()["gather"],),
            loops=(loop,),
            concurrency=(concurrency,),
            session_count=SESSIONS if enabled else 4,
            clock=ClockMode.WALL,
            transports=("loopback",),
        )
    )

    late = benchmark.pedantic(
        late_in_turns, args=(spec, TURNS if enabled else 1), rounds=1, iterations=1
    )

    # A wait that ends early is a bug, on any machine; so is a session shorter than it was.
    assert late.of_drawn[0] >= 0
    assert late.of_stopwatch[0] >= 0
    median_ms, p99_ms = median_and_p99_ms(late.of_drawn)
    bare_median_ms, bare_p99_ms = median_and_p99_ms(late.of_bare_pair)
    watch_median_ms, watch_p99_ms = median_and_p99_ms(late.of_stopwatch)
    benchmark.extra_info |= {
        "median_late_ms": median_ms,
        "p99_late_ms": p99_ms,
        "bare_median_late_ms": bare_median_ms,
        "bare_p99_late_ms": bare_p99_ms,
    }
    if enabled:
        print(
            f"\n{loop}, {concurrency} at once: late by {median_ms:.2f} ms, p99 {p99_ms:.2f} ms; a "
            f"bare pair of processes by {bare_median_ms:.2f} ms, p99 {bare_p99_ms:.2f} ms; against "
            f"the target's stopwatch {watch_median_ms:.3f} ms, p99 {watch_p99_ms:.3f} ms"
        )
        assert watch_median_ms <= GOAL_MEDIAN_MS
        assert watch_p99_ms <= GOAL_P99_MS
        assert median_ms <= GOAL_MEDIAN_MS
        # Of ten at once some come due together, and queue for a core: that is the truth.
        assert p99_ms <= GOAL_P99_MS or concurrency > 1
