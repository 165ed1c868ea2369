"""Does a stream come when it was drawn to come, as the SDK's client sees it over sockets?

The goal: the first token, from the sending of its request, and the gaps between pieces within 2 ms
of what was drawn. The SDK itself computes for 1 to 2 ms before it sends a request, and for as long
again when an answer comes, whoever answers. So in turns with the lab's server a bare one streams
the same bytes at the same times: what the lab's adds to that, from the call of ``create`` on, is
the lab's.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import openai
import pytest
from warpbench.mocks.clock import ClockMode, create_clock
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.scenario.distributions import Uniform
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.wire.reply import Reply
from warpbench.mocks.workload.script import Gaps, ModelCallScript, SessionScript, piece_times_ns
from warpbench.mocks.world.world import WorldSpec

from .bare_pair import bare_stream

GOAL_LATE_MS = 2
MS = 1_000_000
PIECES = 20
TTFT_NS = 50 * MS


@dataclass(frozen=True)
class Stream:
    """One stream as the SDK's client sees it, in times of the monotonic clock.

    Attributes:
        called_ns: When ``create`` was called.
        sent_ns: When its client began to send its request.
        pieces_ns: When each of its pieces came.
    """

    called_ns: int
    sent_ns: int
    pieces_ns: list[int]


def script_of(number: int) -> ModelCallScript:
    gaps = Gaps(Uniform(0.004, 0.03), f"seed {number}")
    latency_ns = TTFT_NS + sum(gaps.draw_ns(PIECES - 1))
    return ModelCallScript(latency_ns, 9, PIECES, (), ttft_ns=TTFT_NS, pieces=PIECES, gaps=gaps)


def reply_to(world: WorldSpec, number: int) -> Reply:
    message = f'{{"role": "user", "content": "{task_of(number, "s")}"}}'
    body = f'{{"model": "m", "stream": true, "messages": [{message}]}}'.encode()
    path = "/v1/chat/completions"
    return world.world(create_clock(ClockMode.WALL)).exchange("POST", path, path, body).reply


async def seen_by_sdk(
    roots: Sequence[str], http_client_of: Any, count: int
) -> list[tuple[Stream, ...]]:
    """Ask each server in turn for a stream, so many times; the first opens the connections."""
    sends_ns: list[int] = []

    async def is_sent(_request: object) -> None:
        sends_ns.append(time.monotonic_ns())

    async def stream(sdk: openai.AsyncOpenAI, number: int) -> Stream:
        sends_ns.clear()
        called_ns = time.monotonic_ns()
        chunks = await sdk.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task_of(number, "s")}], stream=True
        )
        pieces_ns = [
            time.monotonic_ns()
            async for chunk in chunks
            if chunk.choices and chunk.choices[0].delta.content
        ]
        return Stream(called_ns, sends_ns[0], pieces_ns)

    clients = [
        openai.AsyncOpenAI(
            api_key="none",
            base_url=f"{root}/v1",
            http_client=http_client_of(event_hooks={"request": [is_sent]}),
        )
        for root in roots
    ]
    seen = [
        tuple([await stream(client, number) for client in clients]) for number in range(count + 1)
    ]
    for client in clients:
        await client.close()
    return seen[1:]


@pytest.mark.benchmark(group="world")
@pytest.mark.parametrize(
    ("client", "http_client_of"),
    [("httpx2", openai.DefaultAsyncHttpxClient), ("aiohttp", openai.DefaultAioHttpClient)],
)
def test_pieces_of_a_stream_come_in_time_over_sockets(
    benchmark: Any, client: str, http_client_of: Any
) -> None:
    enabled = not benchmark.disabled
    count = 40 if enabled else 2
    scripts = [script_of(number) for number in range(count + 1)]
    sessions = {number: SessionScript(number, (call,)) for number, call in enumerate(scripts)}
    world = WorldSpec(sessions, ModelLimits(), (), "any")

    def measure() -> list[tuple[Stream, ...]]:
        with ServerProcess(world) as server, bare_stream(reply_to(world, 0)) as bare_root:
            return asyncio.run(seen_by_sdk((server.root, bare_root), http_client_of, count))

    seen = benchmark.pedantic(measure, rounds=1, iterations=1)

    ours = [mine for mine, _ in seen]
    due_of_bare_ns, *due_ns = map(piece_times_ns, scripts)
    assert all(
        at_ns - stream.sent_ns >= when_ns
        for stream, times_ns in zip(ours, due_ns, strict=True)
        for at_ns, when_ns in zip(stream.pieces_ns, times_ns, strict=True)
    )
    bare = [theirs for _, theirs in seen]
    sent_ms, sent_p95_ms = median_and_p95_ms(first_ns(s) - s.sent_ns for s in ours)
    bare_sent_ms, bare_sent_p95_ms = median_and_p95_ms(first_ns(s) - s.sent_ns for s in bare)
    called_ms, _ = median_and_p95_ms(first_ns(s) - s.called_ns for s in ours)
    bare_called_ms, _ = median_and_p95_ms(first_ns(s) - s.called_ns for s in bare)
    added_ms, _ = median_and_p95_ms(
        (first_ns(mine) - mine.called_ns) - (first_ns(theirs) - theirs.called_ns)
        for mine, theirs in seen
    )
    gap_ms, gap_p95_ms = median_and_p95_ms(gap_errors_ns(ours, due_ns))
    _, bare_gap_p95_ms = median_and_p95_ms(gap_errors_ns(bare, [due_of_bare_ns] * len(bare)))
    benchmark.extra_info |= {
        "ttft_late_ms": sent_ms,
        "ttft_late_p95_ms": sent_p95_ms,
        "ttft_added_ms": added_ms,
        "gap_error_p95_ms": gap_p95_ms,
    }
    if enabled:
        print(
            f"\n{client} (a bare server): first token late by {sent_ms:.2f} ms, p95 "
            f"{sent_p95_ms:.2f} ({bare_sent_ms:.2f}, {bare_sent_p95_ms:.2f}), from the sending of "
            f"its request, and by {called_ms:.2f} ms ({bare_called_ms:.2f}) from the call of "
            f"create, to which the lab's adds {added_ms:.2f} ms; gaps off by {gap_ms:.2f} ms, p95 "
            f"{gap_p95_ms:.2f} ({bare_gap_p95_ms:.2f})"
        )
        assert added_ms <= GOAL_LATE_MS
        assert gap_p95_ms <= GOAL_LATE_MS
        assert sent_ms <= GOAL_LATE_MS


def first_ns(stream: Stream) -> int:
    """Return when its first token came, less when that was due after its request."""
    return stream.pieces_ns[0] - TTFT_NS


def gap_errors_ns(streams: Sequence[Stream], due_ns: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield by how much each gap between pieces is off."""
    for stream, times_ns in zip(streams, due_ns, strict=True):
        seen_ns, drawn_ns = pairwise(stream.pieces_ns), pairwise(times_ns)
        for (before, after), (due_before, due_after) in zip(seen_ns, drawn_ns, strict=True):
            yield abs((after - before) - (due_after - due_before))


def median_and_p95_ms(values_ns: Iterable[int]) -> tuple[float, float]:
    ordered_ns = sorted(values_ns)
    return median(ordered_ns) / MS, ordered_ns[len(ordered_ns) * 95 // 100] / MS
