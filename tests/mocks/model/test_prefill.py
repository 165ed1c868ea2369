"""The time to read a prompt, and the prefixes that are still known: in blocks of 64 tokens."""

import json
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.cell import Cell
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode, VirtualClock, keeping_time
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.model import ScriptedModel
from warpbench.mocks.model.prefill import BLOCK_TOKENS, Prefill
from warpbench.mocks.scenario import PrefillSpec, parse_scenario
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, draw_session
from warpbench.mocks.world.world import WorldSpec

from ..mocked import MS, PROMPT

pytestmark = pytest.mark.once

S = 1_000_000_000
BLOCK = 4 * BLOCK_TOKENS
CACHING = PrefillSpec(tokens_per_s=1000, caches_prefixes=True)
PATH = "/v1/chat/completions"


def cached(cache: Prefill, text: str, at_ns: int = S) -> int:
    return cache.prompt_of(text, at_ns).cached_tokens


def knowing(*texts: str, at_ns: int = 0) -> Prefill:
    cache = Prefill(CACHING)
    for text in texts:
        cache.has_read(cache.prompt_of(text, at_ns), at_ns)
    return cache


def test_reading_takes_the_tokens_over_the_rate() -> None:
    prompt = Prefill(PrefillSpec(tokens_per_s=1000)).prompt_of("x" * 4000, 0)

    assert (prompt.tokens, prompt.cached_tokens, prompt.prefill_ns) == (1000, 0, S)


def test_without_a_rate_it_takes_no_time() -> None:
    assert Prefill(PrefillSpec()).prompt_of("x" * 4000, 0).prefill_ns == 0


@pytest.mark.parametrize(
    ("known", "asked", "blocks"),
    [
        ("a" * BLOCK + "b" * BLOCK, "a" * BLOCK + "b" * BLOCK + "cdef", 2),
        ("a" * BLOCK + "b" * BLOCK, "a" * BLOCK + "c" * BLOCK * 2, 1),
        ("a" * BLOCK + "b" * BLOCK, "c" * BLOCK + "b" * BLOCK + "x" * 9, 0),  # no prefix
        ("a" * (BLOCK - 1), "a" * BLOCK * 2, 0),  # no whole block is known
        ("a" * BLOCK * 2, "a" * BLOCK * 2, 1),  # of the last token the answer follows
        ("a" * BLOCK * 2, "a" * BLOCK * 2 + "abcd", 2),
    ],
)
def test_the_longest_prefix_in_common_is_spared_in_whole_blocks(
    known: str, asked: str, blocks: int
) -> None:
    prompt = knowing(known).prompt_of(asked, S)

    assert prompt.cached_tokens == blocks * BLOCK_TOKENS
    assert prompt.prefill_ns == (len(asked) // 4 - blocks * BLOCK_TOKENS) * MS


def test_what_is_being_read_is_not_there_yet() -> None:
    cache = Prefill(CACHING)
    text = "a" * BLOCK + "end."
    cache.has_read(cache.prompt_of(text, 0), 65 * MS)

    assert [cached(cache, text, at_ns) for at_ns in (0, 65 * MS - 1, 65 * MS)] == [0, 0, 64]


def test_what_was_there_stays_there_when_it_is_read_again() -> None:
    cache = knowing("a" * BLOCK + "end.")
    cache.has_read(cache.prompt_of("a" * BLOCK + "end.", S), 9 * S)

    assert cached(cache, "a" * BLOCK + "end.", S) == 64


def test_what_was_used_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warpbench.mocks.model.prefill._MOST_BLOCKS", 3)
    cache = knowing(*(letter * BLOCK * 2 for letter in "ab"))

    # Of four blocks three are kept: the first prompt has lost its last.
    assert cached(cache, "a" * BLOCK * 3) == 1 * BLOCK_TOKENS
    assert cached(cache, "b" * BLOCK * 3) == 2 * BLOCK_TOKENS


@given(st.text("ab", max_size=3000), st.text("ab", max_size=3000))
def test_it_spares_as_much_as_the_texts_have_in_common(known: str, asked: str) -> None:
    common = next(
        (index for index, pair in enumerate(zip(known, asked, strict=False)) if pair[0] != pair[1]),
        min(len(known), len(asked)),
    )
    tokens = max(1, len(asked) // 4)
    expected = min(common // BLOCK, (tokens - 1) // BLOCK_TOKENS) * BLOCK_TOKENS

    assert cached(knowing(known), asked) == expected


CALL = ModelCallScript(500 * MS, 0, 5, (), ttft_ns=200 * MS, pieces=5, counts_prompt=True)
LONG = PROMPT + "x" * (4000 - len(PROMPT))


def model(spec: PrefillSpec = CACHING) -> ScriptedModel:
    return ScriptedModel({0: SessionScript(0, (CALL,))}, prefill=spec)


def body(**more: Any) -> bytes:
    return json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": LONG}], **more}
    ).encode()


def test_the_first_token_waits_for_the_prompt_and_all_others_follow() -> None:
    asked = model()
    first, second = (asked.reply(PATH, body(stream=True), at_ns).reply for at_ns in (0, 9 * S))

    # 1000 tokens take 1 s; of the second prompt 15 blocks are known, 960 tokens.
    assert [part.at_ns // MS for part in first.parts] == [1200, 1275, 1350, 1425, 1500]
    assert [part.at_ns // MS for part in second.parts] == [240, 315, 390, 465, 540]
    # The head of a stream is sent immediately, as ever.
    assert first.head_ns == second.head_ns == 0


def test_a_whole_answer_is_later_by_as_much() -> None:
    asked = model()

    assert asked.reply(PATH, body(), 0).reply.end_ns == 1500 * MS
    assert asked.reply(PATH, body(), 9 * S).reply.end_ns == 540 * MS


def test_equal_prompts_that_arrive_together_are_each_read() -> None:
    asked = model()

    assert {asked.reply(PATH, body(), 0).reply.end_ns for _ in range(3)} == {1500 * MS}


def test_what_the_server_refused_is_not_read() -> None:
    fault = '[[faults]]\nkind = "status"\nstatus = 500\nattempts = [1]\n'
    world = spec_of(SCENARIO + fault).world(VirtualClock())
    first = world.model.reply(PATH, body(), 0)
    assert first.attempt is not None
    first.attempt.ends(is_answered=False, is_given_up=False)
    answered = world.model.reply(PATH, body(), 9 * S).reply

    assert (first.reply.status, answered.status) == (500, 200)
    assert json.loads(answered.body)["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


SCENARIO = """
name = "prefill"
description = "Reads prompts."
sessions = 3
[model]
latency_s = 0.5
prefill_tokens_per_s = 1000
prefix_cache = true
[[rounds]]
"""


def spec_of(text: str) -> WorldSpec:
    scenario = parse_scenario(text)
    sessions = {0: draw_session(scenario, 1, 0)}
    return WorldSpec(sessions, scenario.limits, (), "s", prefill=scenario.prefill)


def test_each_api_reports_what_was_cached() -> None:
    clock = VirtualClock()
    with keeping_time(clock), mocked_http(spec_of(SCENARIO).world(clock)):
        client, claude = openai.OpenAI(api_key="none"), anthropic.Anthropic(api_key="none")
        user: list[Any] = [{"role": "user", "content": LONG}]
        chats = [client.chat.completions.create(model="m", messages=user) for _ in range(2)]
        response = client.responses.create(model="m", input=LONG)
        completion = client.completions.create(model="m", prompt=LONG)
        message = claude.messages.create(model="m", max_tokens=9, messages=user)

    usages: list[Any] = [chat.usage for chat in chats]
    assert [usage.prompt_tokens_details.cached_tokens for usage in usages] == [0, 960]
    assert [usage.prompt_tokens for usage in usages] == [1000, 1000]
    assert response.usage is not None
    assert response.usage.input_tokens_details.cached_tokens == 960
    assert completion.usage is not None
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 960
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (40, 960)


def test_gemini_reports_it_too() -> None:
    asked = model()
    contents = json.dumps({"contents": [{"role": "user", "parts": [{"text": LONG}]}]}).encode()
    path = "/v1beta/models/m:generateContent"
    _, second = (asked.reply(path, contents, at_ns).reply for at_ns in (0, 9 * S))

    assert json.loads(second.body)["usageMetadata"]["cachedContentTokenCount"] == 960


@pytest.mark.parametrize("strategy", ["gather", "threads", "sync"])
def test_the_ideal_stays_a_lower_bound(strategy: str) -> None:
    """It knows no prompt, so it leaves out the time to read one."""
    scenario = parse_scenario(SCENARIO)
    cell = Cell(
        scenario="prefill",
        target="agent",
        strategy=strategy,
        loop="asyncio" if strategy == "gather" else "none",
        transport="respx",
        clock=ClockMode.VIRTUAL,
        concurrency=3,
        session_count=3,
        seed=1,
        tool_workers=12,
    )
    with prepared_here(TrialSpec(scenario, cell), "agent") as measure:
        assert not isinstance(measure, NotApplicable)
        result = measure()

    assert set(result.ideal_latencies_ns) == {500 * MS}
    took_ns = {each.end_ns - each.start_ns for each in result.samples}
    assert all(500 * MS < each < 1 * S for each in took_ns)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "latency_s = 0.5",
            "latency_s = 0.5\nprompt_tokens = 500",
            "model.prompt_tokens: expected none beside prefill_tokens_per_s, for which they are"
            " counted from what was sent, found some",
        ),
        (
            "prefill_tokens_per_s = 1000\nprefix_cache = true\n[[rounds]]",
            "prefix_cache = true\n[[rounds]]\nprompt_tokens = 500",
            "rounds[0].prompt_tokens: expected none beside prefix_cache, for which they are"
            " counted from what was sent, found some",
        ),
        (
            "prefill_tokens_per_s = 1000",
            "prefill_tokens_per_s = 0",
            "model.prefill_tokens_per_s: expected more than 0.0, found 0",
        ),
        (
            "prefix_cache = true",
            "prefix_cache = 1",
            "model.prefix_cache: expected true or false, found 1",
        ),
    ],
)
def test_a_scenario_that_declares_it_wrongly_is_told_in_a_line(
    old: str, new: str, problem: str
) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(SCENARIO.replace(old, new))
    assert str(error.value) == f"scenario: {problem}"
