"""The endpoints that count tokens, held against the official SDKs."""

import anthropic
import openai
import pytest
from warpbench.mocks.model import wire_format_of
from warpbench.mocks.model.endpoints import endpoint_at
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.scenario.endpoints import EndpointKind
from warpbench.mocks.transports.loopback.refusals import refusal

from ...mocked import PROMPT, Mocked, call

pytestmark = pytest.mark.once

COUNTING_S = EndpointKind.TOKEN_COUNTS.latency_s


def openai_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="none", _strict_response_validation=True)


def anthropic_client() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="none", _strict_response_validation=True)


def test_openai_counts_the_tokens_of_a_response_and_the_script_goes_on() -> None:
    mocked = Mocked(call(1000))

    def ask() -> tuple[int, str, str]:
        client = openai_client()
        counted = client.responses.input_tokens.count(model="m", input=PROMPT)
        answer = client.responses.create(model="m", input=PROMPT)
        return counted.input_tokens, counted.object, answer.id

    tokens, kind, answered = mocked.run(ask)
    assert (tokens, kind) == (
        len(f'{{"input":"{PROMPT}","model":"m"}}') // 4,
        "response.input_tokens",
    )
    assert answered.endswith("0_0")
    assert mocked.now_s == COUNTING_S + 1.0
    traffic = mocked.traffic
    assert (traffic.llm_calls, traffic.service_calls, traffic.refusals) == (1, 1, ())


@pytest.mark.parametrize("is_beta", [False, True])
def test_anthropic_counts_the_tokens_of_a_message(*, is_beta: bool) -> None:
    mocked = Mocked()

    def ask(prompt: str) -> int:
        client = anthropic_client()
        messages = client.beta.messages if is_beta else client.messages
        return messages.count_tokens(
            model="m", messages=[{"role": "user", "content": prompt}]
        ).input_tokens

    few, many = mocked.run(lambda: (ask(PROMPT), ask(PROMPT + 400 * "word")))
    assert many - few == 400
    assert mocked.now_s == 2 * COUNTING_S
    assert mocked.traffic.llm_calls == 0


def test_a_service_of_the_scenario_at_that_address_goes_first() -> None:
    scenario = parse_scenario(
        """
        name = "counting"
        description = "Counts by itself."
        sessions = 1
        [model]
        latency_s = 1
        [[rounds]]
        [[services]]
        name = "count"
        url = "https://api.openai.com/v1/responses/input_tokens"
        latency_s = 0.3
        json = { object = "response.input_tokens", input_tokens = 7 }
        """,
        "counting.toml",
    )
    mocked = Mocked(services=scenario.services)

    counted = mocked.run(
        lambda: openai_client().responses.input_tokens.count(model="m", input=PROMPT)
    )
    assert (counted.input_tokens, mocked.now_s) == (7, 0.3)


def test_gemini_counts_the_tokens_of_contents() -> None:
    genai = pytest.importorskip("google.genai")
    mocked = Mocked()

    def ask(prompt: str) -> int:
        client = genai.Client(api_key="none")
        counted: int = client.models.count_tokens(model="m", contents=prompt).total_tokens
        return counted

    few, many = mocked.run(lambda: (ask(PROMPT), ask(PROMPT + 400 * "word")))
    assert many - few == 400
    assert mocked.now_s == 2 * COUNTING_S


def test_no_other_path_counts_tokens() -> None:
    assert endpoint_at("POST", "/v1/responses") is endpoint_at("POST", "/v1/messages") is None
    assert endpoint_at("POST", "/v1beta/models/gemini-3:generateContent") is None
    assert wire_format_of("/v1/messages/count_tokens") is None
    assert refusal("GET", "/v1/messages/count_tokens", (), "no").status == 405
