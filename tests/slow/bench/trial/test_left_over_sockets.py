"""A stream that is closed early over a socket: the server sees its client go."""

import asyncio
from dataclasses import replace
from typing import Any

from openai import AsyncOpenAI
from warpbench.bench.results.samples import Outcome
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.observe.waits import WaitEnding
from warpbench.mocks.scenario import parse_scenario

PIECES = parse_scenario("""
    name = "pieces"
    description = "Ten pieces, one every 100 ms."
    sessions = 2
    [model]
    ttft_s = 0.1
    gap_s = 0.1
    completion_tokens = 10
    [[rounds]]
""")


def close_early_and_stay(lab: Lab) -> Any:
    client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)

    async def session(task: str) -> str:
        async with await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}], stream=True
        ) as stream:
            async for _ in stream:
                break
        await asyncio.sleep(1.2)
        return ""

    return session


def test_it_fails_its_session_and_nothing_after_is_the_models_time() -> None:
    spec = spec_of(close_early_and_stay, scenario=PIECES, sessions=2, clock="wall")
    spec = replace(spec, cell=replace(spec.cell, transport="loopback"))

    with prepared_here(spec, close_early_and_stay) as measure:
        assert not isinstance(measure, NotApplicable)
        trial = measure()

    for sample, parts in zip(trial.samples, trial.time_parts_ns, strict=True):
        assert sample.outcome is Outcome.FAILED
        assert sample.error is not None
        assert "left the stream of model call 1 of 1" in sample.error
        assert "it was closed early" in sample.error
        assert parts.llm < 0.5e9
        assert sample.latency_ns >= 1.2e9
    assert {wait.ending for wait in trial.waits} == {WaitEnding.LEFT}
