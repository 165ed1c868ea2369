"""Each target over each transport: the same sessions, the same counts."""

from typing import Any

import openai
import pytest
from warpbench.bench.targets.loading import Lab
from warpbench.bench.trial.spec import NotApplicable

from ....mocks.transports.test_transports import (
    TARGETS,
    check_counts,
    collected_here,
    pytestmark,
    trial,
)

__all__ = ["collected_here", "pytestmark"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("transport", "strategy"),
    [
        *(("respx", "gather"), ("loopback", "gather"), ("loopback", "threads")),
        ("loopback-aiohttp", "gather"),
    ],
)
def test_the_same_is_counted_whichever_way_the_model_is_reached(
    transport: str, strategy: str, target: str
) -> None:
    check_counts(trial(transport, strategy, target), transport)


def test_aiohttp_is_for_async_sessions() -> None:
    assert trial("loopback-aiohttp", "threads") == NotApplicable("aiohttp has no sync client")


def test_a_target_with_a_client_of_its_own_is_not_taken_for_aiohttps() -> None:
    def build(lab: Lab) -> Any:
        client = openai.AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)

        async def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            completion = await client.chat.completions.create(model=lab.model, messages=messages)
            return completion.choices[0].message.content or ""

        return session

    assert trial("loopback-aiohttp", "gather", build) == NotApplicable(
        "the target does not ask for lab.async_http_client(), so aiohttp is not in use"
    )
