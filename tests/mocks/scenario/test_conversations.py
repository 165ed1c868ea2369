"""``[[conversations]]``: what they take from the model's table, and what is refused."""

import pytest
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.scenario.distributions import Constant

pytestmark = pytest.mark.once

SCENARIO = """
name = "kinds"
description = "Kinds of conversations."
sessions = 1
[model]
latency_s = 0.5
ttft_s = 0.25
[tools.search]
description = "Searches."
kind = "async"
latency_s = 0.1
[[rounds]]
[[conversations]]
name = "judge"
system = "*judge*"
"""


def test_a_kind_without_values_of_its_own_has_the_models() -> None:
    (kind,) = parse_scenario(SCENARIO).conversations
    (call,) = kind.rounds

    assert (kind.name, kind.system, kind.prompt, kind.tools) == ("judge", "*judge*", None, ())
    assert (call.timing.latency, call.timing.ttft) == (Constant(0.5), Constant(0.25))
    assert kind.faults is None


def test_its_own_values_stand_before_the_models_and_those_of_a_round_before_them() -> None:
    (kind,) = parse_scenario(
        SCENARIO
        + """
latency_s = 0.1
completion_tokens = 7
faults = []
rounds = [{ tools = [{ tool = "search" }], latency_s = 0.2 }, {}]
"""
    ).conversations
    asks, answers = kind.rounds

    assert (asks.timing.latency, answers.timing.latency) == (Constant(0.2), Constant(0.1))
    assert asks.completion_tokens == answers.completion_tokens == Constant(7)
    assert kind.faults == ()


def test_a_round_that_begins_a_turn_follows_a_final_answer() -> None:
    scenario = parse_scenario(SCENARIO.replace("[[rounds]]", "[[rounds]]\n[[rounds]]\nturn = true"))

    assert [part.begins_turn for part in scenario.rounds] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'system = "*judge*"',
            "",
            "conversations[0]: expected one of model, system, prompt or tools to match,"
            " found none of them",
        ),
        (
            'system = "*judge*"',
            'system = "*judge*"\n[[conversations]]\nname = "judge"\nmodel = "m"',
            "conversations[1].name: expected a name of its own, found 'judge' twice",
        ),
        (
            'system = "*judge*"',
            'model = "m"\nrounds = [{}, {}]',
            "conversations[0].rounds[0].tools: expected tools in every round but the last,"
            " found none",
        ),
        (
            'system = "*judge*"',
            'model = "m"\nrounds = [{ tools = [{ tool = "serch" }] }, {}]',
            "conversations[0].rounds[0].tools[0].tool: expected search, found 'serch'"
            " (did you mean 'search'?)",
        ),
        (
            "[[rounds]]",
            "[[rounds]]\nturn = true",
            "rounds[0].turn: expected no turn in the first round, which begins one anyway,"
            " found one",
        ),
        (
            "[[rounds]]",
            '[[rounds]]\ntools = [{ tool = "search" }]\n[[rounds]]\nturn = true',
            "rounds[0].tools: expected no tools in the last round of a turn, the final answer,"
            " found 1",
        ),
    ],
)
def test_what_does_not_fit_gets_one_line_with_its_place(old: str, new: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(SCENARIO.replace(old, new, 1), "my.toml")

    assert str(caught.value) == f"my.toml: {message}"
