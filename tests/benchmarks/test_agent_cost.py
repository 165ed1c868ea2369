"""What a session of the agent costs in CPU, against the loop people write without one.

The two are measured in pairs: one batch of each in turn, the first of a pair alternating,
and one ratio a pair. Whatever else the machine does hits both halves of a pair alike, so the
median of the ratios holds still where the times do not.
"""

import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable

import openai
from pytest_benchmark.fixture import BenchmarkFixture
from warpbench.agent import Agent, Tool

from ..http_libraries import sdk_http
from .bare_sdk import run as run_bare

TOOL_CALLS = 4
GOAL = 0.6
"""The agent may take at most this share of the bare loop's CPU per session."""

PARAMETERS = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "What to look for."},
        "limit": {"type": "integer", "description": "How many hits at most."},
    },
    "required": ["query", "limit"],
    "additionalProperties": False,
}


async def search(query: str, limit: int) -> str:
    await asyncio.sleep(0)
    return f"{limit} hits for {query}: " + "lorem ipsum " * 20


TOOL = Tool(name="search", description="Search.", parameters=PARAMETERS, function=search)
BARE_TOOLS = [
    {
        "type": "function",
        "function": {"name": "search", "description": "Search.", "parameters": PARAMETERS},
    }
]
TASK = "Compare four things. " * 20


def completion(message: dict[str, object], finish_reason: str) -> bytes:
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": None, **message},
                    "logprobs": None,
                    "finish_reason": finish_reason,
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
    ).encode()


CALLS = completion(
    {
        "tool_calls": [
            {
                "id": f"call_{index}",
                "type": "function",
                "function": {
                    "name": "search",
                    "arguments": json.dumps({"query": f"thing {index}", "limit": 3}),
                },
            }
            for index in range(TOOL_CALLS)
        ]
    },
    "tool_calls",
)
FINAL = completion({"content": "All four are alike."}, "stop")


def respond(request: sdk_http.Request) -> sdk_http.Response:
    body = CALLS if b'"role":"tool"' not in request.content else FINAL
    return sdk_http.Response(200, content=body, headers={"content-type": "application/json"})


Session = Callable[[], Awaitable[object]]


def compare(sessions: int, at_once: int, pairs: int) -> dict[str, float]:
    """Run both in pairs of batches; give the CPU seconds per session and their ratio."""

    async def batch(session: Session) -> float:
        # Garbage left by one half is not to be collected on the other's account.
        gc.collect()
        begin = time.process_time()
        for _ in range(sessions // at_once):
            await asyncio.gather(*(session() for _ in range(at_once)))
        return (time.process_time() - begin) / sessions

    async def main() -> dict[str, float]:
        transport = sdk_http.MockTransport(respond)
        http_client = sdk_http.AsyncClient(transport=transport)
        async with openai.AsyncOpenAI(api_key="test", http_client=http_client) as client:
            agent = Agent([TOOL], async_client=client)

            async def ours() -> None:
                answer = await agent.chat_async(TASK)
                assert answer.text == "All four are alike."

            async def bare() -> None:
                assert await run_bare(client, TASK, BARE_TOOLS, {"search": search}) == (
                    "All four are alike."
                )

            await batch(ours)
            await batch(bare)
            measured: list[tuple[float, float]] = []
            for pair in range(pairs):
                if pair % 2:
                    bare_s, ours_s = await batch(bare), await batch(ours)
                else:
                    ours_s, bare_s = await batch(ours), await batch(bare)
                measured.append((ours_s, bare_s))
        return {
            "agent_cpu_s_per_session": statistics.median(ours_s for ours_s, _ in measured),
            "bare_cpu_s_per_session": statistics.median(bare_s for _, bare_s in measured),
            "cpu_ratio": statistics.median(ours_s / bare_s for ours_s, bare_s in measured),
        }

    return asyncio.run(main())


def test_a_session_costs_at_most_six_tenths_of_the_bare_loop(benchmark: BenchmarkFixture) -> None:
    if benchmark.disabled:
        compare(sessions=2, at_once=2, pairs=1)
        benchmark(lambda: None)
        return
    figures = benchmark.pedantic(
        compare, kwargs={"sessions": 100, "at_once": 50, "pairs": 15}, rounds=1
    )
    benchmark.extra_info.update(figures)
    print(
        f"\nagent {figures['agent_cpu_s_per_session'] * 1e3:.2f} ms, "
        f"bare loop {figures['bare_cpu_s_per_session'] * 1e3:.2f} ms CPU a session; "
        f"ratio {figures['cpu_ratio']:.3f}, goal {GOAL}"
    )
    assert figures["cpu_ratio"] <= GOAL
