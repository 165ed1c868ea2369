import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import Agent, Counters, Prices, SettingsError, Usage

from ..scripted import Model, call, calls, final

PRICES = Prices(prompt_usd_per_million=2.0, completion_usd_per_million=8.0)


def double(x: int) -> int:
    return 2 * x


def test_an_agent_counts_what_it_used_over_all_sessions() -> None:
    replies = [
        calls(call("double", "1", x=1), call("double", "2", x="?"), call("fail", "3")),
        final(),
        final(),
    ]

    def fail() -> None:
        raise LookupError

    with (
        Model(replies).client() as client,
        Agent([double, fail], client=client, prices=PRICES) as agent,
    ):
        assert agent.counters == Counters()
        agent.chat("one")
        agent.chat("two")
        assert agent.counters == Counters(
            sessions=2,
            model_calls=3,
            # One was wrong and did not run.
            tool_calls=2,
            tool_failures=1,
            usage=Usage(30, 6),
            cost_usd=(30 * 2 + 6 * 8) / 1e6,
        )


tokens = st.integers(0, 10**9)


@given(tokens, tokens, tokens)
def test_cached_tokens_cost_what_they_cost(prompt: int, cached: int, completion: int) -> None:
    usage = Usage(prompt + cached, completion, cached)
    half = Prices(
        prompt_usd_per_million=2, completion_usd_per_million=8, cached_prompt_usd_per_million=1
    )
    assert half.cost_usd(usage) == pytest.approx((2 * prompt + cached + 8 * completion) / 1e6)
    assert PRICES.cost_usd(usage) == pytest.approx((2 * (prompt + cached) + 8 * completion) / 1e6)


def test_cached_tokens_are_read_from_the_answer() -> None:
    reply = final()
    reply["usage"]["prompt_tokens_details"] = {"cached_tokens": 7}
    with Model([reply]).client() as client, Agent(client=client) as agent:
        assert agent.chat("task").usage == Usage(10, 2, 7)


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(SettingsError, match="negative"):
        Prices(prompt_usd_per_million=-1, completion_usd_per_million=0)
