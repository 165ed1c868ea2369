"""What the scripted model costs: CPU a call over a bare MockTransport, and memory, flat.

The goals: at most one and a half times as much CPU again as a call takes on
``sdk_http.MockTransport`` answering the same bytes, and no growth over a million calls. ``make
benchmarks`` checks them; as a mere test (benchmarks disabled) this runs a few calls and asserts
nothing of time.

The two take turns of fifty calls, on ``warp``, the clock on which CPU time counts. Other work on
the machine only ever adds to what a turn takes, so what is held against each other is what the
quickest twentieth of the turns took.
"""

import asyncio
import gc
import json
import resource
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import ClockMode, create_clock, keeping_time
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import draw
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World

from ..http_libraries import sdk_http

GOAL = 1.5
"""Of what a call takes on the bare transport: that much more at most."""
FLAT_OVER_CALLS = 1_000_000
FLAT_BYTES = 4_000_000
URL = "https://api.openai.com/v1/chat/completions"
TURNS = 300
CALLS = 50

Post = Callable[[], Awaitable[object]]
Forget = Callable[[], None]
"""Lets the world begin anew: of one session it takes a limited number of model calls."""


def request_body(number: int = 0) -> bytes:
    """One of several requests: equal ones would be samples or hedges of each other."""
    tools = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
        for name in load_scenario("tools").tools
    ]
    prompt = task_of(0, "tools") + " word" * 400 + f" {number}"
    messages = [{"role": "user", "content": prompt}]
    return json.dumps({"model": "gpt-4o-mini", "messages": messages, "tools": tools}).encode()


def scripted_model() -> ScriptedModel:
    script = draw(load_scenario("tools"), seed=1, sessions=1)
    return ScriptedModel({session.session: session for session in script.sessions})


async def cpu_s_per_call(post: Post, calls: int) -> float:
    gc.collect()
    start_s = time.process_time()
    for _ in range(calls):
        await post()
    return (time.process_time() - start_s) / calls


async def costs_cpu_s(turns: int, calls: int, forget: Forget) -> tuple[float, float]:
    """Return what a call takes of CPU seconds: on the bare transport, and of the model."""
    bodies = cycle([request_body(number) for number in range(CALLS)])
    body = request_body()
    answer = scripted_model().reply(URL, body, 0).reply
    headers = {"content-type": "application/json"}
    bare_transport = sdk_http.MockTransport(
        lambda _request: sdk_http.Response(200, headers=headers, content=answer.body)
    )
    async with (
        sdk_http.AsyncClient(transport=bare_transport) as bare,
        sdk_http.AsyncClient() as mocked,
    ):

        async def post_bare() -> object:
            return await bare.post(URL, content=next(bodies), headers=headers)

        async def post_mocked() -> object:
            response = await mocked.post(URL, content=next(bodies), headers=headers)
            return response.raise_for_status()

        await cpu_s_per_call(post_bare, 20)
        await cpu_s_per_call(post_mocked, 20)
        cost: dict[Post, list[float]] = {post_bare: [], post_mocked: []}
        for turn in range(turns):
            for post in (post_bare, post_mocked) if turn % 2 else (post_mocked, post_bare):
                forget()
                cost[post].append(await cpu_s_per_call(post, calls))
    bare_s, mocked_s = (quantiles(each, n=20)[0] for each in cost.values())
    return bare_s, mocked_s


def on_clock(mode: ClockMode, work: Callable[[Forget], Any], latency_ns: int = 0) -> Any:
    clock = create_clock(mode)
    # No latency: what is left is the cost.
    model = ScriptedModel({0: _with_latency(latency_ns)})
    world = World(model, Services((), "any"), clock, Traffic())
    with (
        keeping_time(clock),
        mocked_http(world),
        asyncio.Runner(loop_factory=lambda: ASYNCIO.create(clock)) as runner,
    ):
        return runner.run(work(world.forget))


def _with_latency(latency_ns: int) -> Any:
    from dataclasses import replace  # noqa: PLC0415

    session = draw(load_scenario("tools"), seed=1, sessions=1).sessions[0]
    return replace(
        session,
        model_calls=tuple(replace(call, latency_ns=latency_ns) for call in session.model_calls),
    )


@pytest.mark.benchmark(group="router")
def test_a_call_costs_little_more_than_a_bare_mock_transport(benchmark: Any) -> None:
    enabled = not benchmark.disabled
    turns, calls = (TURNS, CALLS) if enabled else (2, 5)

    bare_s, mocked_s = benchmark.pedantic(
        on_clock,
        args=(ClockMode.WARP, partial(costs_cpu_s, turns, calls)),
        rounds=1,
        iterations=1,
    )

    extra_us = (mocked_s - bare_s) * 1e6
    benchmark.extra_info["extra_cpu_us_per_call"] = round(extra_us, 1)
    if enabled:
        print(
            f"\nscripted model over MockTransport: {extra_us:.0f} µs CPU a call, which takes "
            f"{bare_s * 1e6:.0f} µs there"
        )
        assert mocked_s - bare_s <= GOAL * bare_s


@pytest.mark.benchmark(group="router")
def test_memory_stays_flat_over_many_calls(benchmark: Any) -> None:
    enabled = not benchmark.disabled
    calls = FLAT_OVER_CALLS if enabled else 200

    async def grown_bytes(forget: Forget) -> int:
        body = request_body()
        async with sdk_http.AsyncClient() as client:

            async def post(count: int) -> None:
                for number in range(count):
                    if number % CALLS == 0:
                        forget()
                    response = await client.post(URL, content=body)
                    response.raise_for_status()

            await post(max(100, calls // 20))
            before = rss_bytes()
            await post(calls)
            return rss_bytes() - before

    grown = benchmark.pedantic(
        on_clock,
        # A million calls at one instant would look like polling to the clock.
        args=(ClockMode.VIRTUAL, grown_bytes, 1_000),
        rounds=1,
        iterations=1,
    )

    benchmark.extra_info["grown_bytes"] = grown
    if enabled:
        print(f"\nresident memory over {calls:,} calls: {grown / 1e6:+.2f} MB")
        assert grown <= FLAT_BYTES


def rss_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
