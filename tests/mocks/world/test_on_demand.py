"""A server that just runs: each conversation that begins is a new session."""

import json
from dataclasses import replace
from typing import Any

import pytest
from scipy import stats
from warpbench.mocks.clock import ClockMode, create_clock
from warpbench.mocks.model import Caller, Rule
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.workload.numbers import session_of
from warpbench.mocks.world.on_demand import world_on_demand
from warpbench.mocks.world.world import Exchange, World

pytestmark = pytest.mark.once

PATH = "/v1/chat/completions"
FAULTY = parse_scenario("""
    name = "served"
    description = "A drawn latency, and an error now and then."
    sessions = 1
    [model]
    latency_s = { uniform = { low = 1.0, high = 2.0 } }
    [[rounds]]
    [[faults]]
    kind = "status"
    status = 500
    probability = 0.2
""")
QUIET = parse_scenario("""
    name = "served-well"
    description = "A drawn latency."
    sessions = 1
    [model]
    latency_s = { uniform = { low = 1.0, high = 2.0 } }
    [[rounds]]
""")
HELLO = [{"role": "user", "content": "Hello!"}]


def world(scenario: Any = QUIET) -> World:
    return world_on_demand(scenario, 1, create_clock(ClockMode.VIRTUAL))


def ask(asked: World, messages: list[Any] = HELLO, **more: Any) -> Exchange:
    body = json.dumps({"model": "m", "messages": messages, **more}).encode()
    return asked.exchange("POST", PATH, PATH, body)


def ends(exchange: Exchange, *, is_answered: bool = True) -> None:
    assert exchange.attempt is not None
    exchange.attempt.ends(is_answered=is_answered, is_given_up=False)


def text_of(exchange: Exchange) -> str:
    content: str = json.loads(exchange.reply.body)["choices"][0]["message"]["content"]
    return content


def test_sixty_equal_prompts_show_the_drawn_distribution_and_share_of_faults() -> None:
    asked = world(FAULTY)
    exchanges = [ask(asked) for _ in range(60)]

    latencies_s = [each.reply.end_ns / 1e9 for each in exchanges if each.is_accepted]
    failed = sum(not each.is_accepted for each in exchanges)
    assert len({each.session for each in exchanges}) == 60
    assert len(set(latencies_s)) == len(latencies_s)
    assert stats.kstest(latencies_s, stats.uniform(1, 1).cdf).pvalue > 0.01
    assert stats.binomtest(failed, 60, 0.2).pvalue > 0.01


def test_a_retry_is_the_next_attempt_of_its_session() -> None:
    asked = world()
    first = ask(asked)
    ends(first, is_answered=False)
    again = ask(asked)
    ends(again)

    assert again.session == first.session
    assert ask(asked).session != first.session


def test_a_chat_goes_on_for_as_long_as_its_client_wants() -> None:
    asked = world()
    messages: list[Any] = []
    sessions, latencies_ns = [], []
    for turn in range(6):
        messages.append({"role": "user", "content": f"Question {turn}"})
        exchange = ask(asked, messages)
        messages.append({"role": "assistant", "content": text_of(exchange)})
        sessions.append(session_of(exchange.session))
        latencies_ns.append(exchange.reply.end_ns)

    assert sessions == [0] * 6
    assert len(set(latencies_ns)) == 6


def test_without_marks_a_chat_is_known_by_how_it_begins() -> None:
    asked = world(replace(QUIET, provenance=False))
    first = ask(asked)
    answered = [{"role": "assistant", "content": text_of(first)}, *HELLO]

    assert text_of(first).startswith("lorem ipsum")
    assert session_of(ask(asked, [*HELLO, *answered]).session) == session_of(first.session)


def test_a_session_that_a_header_names_is_that_one() -> None:
    asked = world()
    body = json.dumps({"model": "m", "messages": HELLO}).encode()
    exchange = asked.exchange("POST", PATH, PATH, body, caller=Caller(5, Rule.HEADER))

    assert session_of(exchange.session) == 5
    assert asked.model.conversations.rules == {Rule.HEADER: 1}


def test_an_answer_that_is_cut_counts_the_tokens_that_its_usage_reports() -> None:
    exchange = ask(world(), max_tokens=7)

    usage = json.loads(exchange.reply.body)["usage"]
    assert usage["completion_tokens"] == exchange.reply.completion_tokens == 7
    assert usage["prompt_tokens"] == exchange.reply.prompt_tokens > 0
