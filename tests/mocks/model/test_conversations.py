"""Which conversation a request goes on with, what it plays there, and how it relates to others."""

import json
from typing import Any

import pytest
from warpbench.mocks.model import Caller, Kinds, Manner, Rule, ScriptedModel, task_of
from warpbench.mocks.model.scripted import ModelReply
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.mocks.workload.marks import Mark
from warpbench.mocks.workload.numbers import SHARED, kind_of, session_of
from warpbench.mocks.workload.script import draw
from warpbench.mocks.workload.scripts import Scripts

pytestmark = pytest.mark.once

PATH = "/v1/chat/completions"
WORLD = parse_scenario("""
    name = "open"
    description = "Two turns, of which the first asks for a tool; and two kinds beside."
    sessions = 3
    max_model_calls = 60
    [model]
    latency_s = { uniform = { low = 1.0, high = 2.0 } }
    [tools.search]
    description = "Searches."
    kind = "async"
    latency_s = 0.1
    [[rounds]]
    tools = [{ tool = "search" }]
    [[rounds]]
    [[rounds]]
    turn = true
    [[conversations]]
    name = "judge"
    system = "*judge*"
    latency_s = 0.25
    text = "safe"
    [[conversations]]
    name = "cheap"
    model = "*mini"
    tools = ["other"]
    latency_s = 0.125
    [[conversations]]
    name = "titles"
    prompt = "Title*"
    latency_s = 0.0625
""")


def model(scenario: Scenario = WORLD, **more: Any) -> ScriptedModel:
    scripts = {script.session: script for script in draw(scenario, 1).sessions}
    kinds = Kinds(scenario.conversations)
    return ScriptedModel(Scripts(scripts, scenario, 1), scenario.limits, kinds, **more)


def says(prompt: str, system: str | None = None) -> list[dict[str, Any]]:
    opening = [] if system is None else [{"role": "system", "content": system}]
    return [*opening, {"role": "user", "content": prompt}]


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def asked(
    played: ScriptedModel, messages: list[Any], session: int | None = 0, **more: Any
) -> ModelReply:
    caller = Caller() if session is None else Caller(session, Rule.CONTEXT)
    body = json.dumps({"model": "m", "messages": messages, **more}).encode()
    return played.reply(PATH, body, 0, caller)


def ends(reply: ModelReply, *, is_answered: bool = True, is_given_up: bool = False) -> None:
    assert reply.attempt is not None
    reply.attempt.ends(is_answered=is_answered, is_given_up=is_given_up)


def answer_in(reply: ModelReply) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(reply.reply.body)["choices"][0]["message"]
    return {"role": "assistant", "content": message["content"]}


def latency_s(reply: ModelReply) -> float:
    return reply.reply.end_ns / 1e9


@pytest.mark.parametrize(
    ("messages", "more", "kind"),
    [
        (says("Hello!"), {}, 0),
        (says("Hello!", "You are a judge."), {}, 1),
        (says("Hello!", "You are a JUDGE of men."), {}, 1),
        (says("Hello!"), {"model": "gpt-mini", "tools": [tool("other"), tool("more")]}, 2),
        (says("Hello!"), {"model": "gpt-mini"}, 0),
        (says("Title this."), {}, 3),
        (says("Title this.", "You judge."), {}, 1),
    ],
)
def test_a_conversation_is_of_the_first_kind_that_matches(
    messages: list[Any], more: dict[str, Any], kind: int
) -> None:
    reply = asked(model(), messages, **more)

    assert kind_of(reply.session) == kind
    assert session_of(reply.session) == 0
    if kind:
        assert latency_s(reply) == (0.25, 0.125, 0.0625)[kind - 1]


def test_the_text_of_a_kind_is_what_the_scenario_says() -> None:
    assert answer_in(asked(model(), says("Hello!", "You judge.")))["content"] == "safe"


def test_the_task_begins_the_main_conversation() -> None:
    played = model()

    assert asked(played, says(task_of(2, "open")), 2).session == 2
    assert asked(played, says(task_of(2, "open"), "Be brief."), 2).session == 2
    assert asked(played, says("So: " + task_of(2, "open")), 2).session != 2


def test_whose_text_it_carries_is_no_matter_where_the_context_is_known() -> None:
    reply = asked(model(), says(task_of(2, "open")), 1)

    assert session_of(reply.session) == 1


def test_an_answer_is_gone_on_with_whatever_else_changes() -> None:
    played = model()
    begun = asked(played, says("Hello!"))
    further = [answer_in(begun), {"role": "user", "content": "And?"}]
    trimmed = asked(played, further, None)
    other_system = asked(played, [*says("Hi!", "Be brief."), *further])

    assert (trimmed.session, trimmed.step) == (begun.session, 1)
    assert (other_system.session, other_system.step) == (begun.session, 1)


def test_equal_openings_of_two_sessions_have_draws_of_their_own() -> None:
    played = model()

    assert latency_s(asked(played, says("Hello!"), 0)) != latency_s(
        asked(played, says("Hello!"), 1)
    )


def test_what_the_mock_wrote_is_told_apart_by_its_mark_and_not_by_its_order() -> None:
    marks = [Mark(0, step).text + "lorem ipsum dolor" for step in range(3)]
    numbers = {
        asked(model(), says(f"Join: {', '.join(texts)}")).session
        for texts in (marks, marks[::-1], [marks[1], marks[0], marks[2]])
    }
    other = asked(model(), says(f"Join: {', '.join(marks[:2])}")).session

    assert len(numbers) == 1
    assert other not in numbers


def test_a_further_message_is_the_next_turn_and_beyond_the_last_the_final_answer_again() -> None:
    played = model()
    messages = says(task_of(0, "open"))
    latencies_s = []
    for _ in range(4):
        reply = asked(played, messages)
        ends(reply)
        latencies_s.append(latency_s(reply))
        messages += [answer_in(reply), {"role": "user", "content": "Go on."}]

    script = [call.latency_ns / 1e9 for call in draw(WORLD, 1).sessions[0].model_calls]
    assert latencies_s[:2] == script[1:]
    assert len(set(latencies_s)) == 4


def test_rounds_begin_anew_where_each_message_is_a_new_call() -> None:
    numbers = iter(range(100))
    played = model(next_session=lambda: next(numbers))
    messages = says("Hello!")
    seen = []
    for _ in range(5):
        reply = asked(played, messages, None)
        ends(reply)
        seen.append((session_of(reply.session), reply.step, latency_s(reply)))
        messages += [answer_in(reply), {"role": "user", "content": "Go on."}]

    assert [each[:2] for each in seen] == [(0, 0), (0, 1), (0, 0), (0, 1), (0, 0)]
    assert len({each[2] for each in seen}) == 5


def test_equal_requests_are_told_apart() -> None:
    played = model()
    first = asked(played, says("Hello!"))
    sample = asked(played, says("Hello!"))
    ends(first, is_answered=False)
    retry = asked(played, says("Hello!"))
    ends(retry)
    ends(sample)
    repeat = asked(played, says("Hello!"))

    assert latency_s(retry) == latency_s(first)
    assert len({latency_s(each) for each in (first, sample, repeat)}) == 3
    assert {each.session for each in (first, sample, retry, repeat)} == {first.session}
    assert played.conversations.counts == {
        Manner.FIRST: 1,
        Manner.SAMPLE: 1,
        Manner.RETRY: 1,
        Manner.REPEAT: 1,
    }


@pytest.mark.parametrize("loser_is_first", [True, False])
@pytest.mark.parametrize("winner_ends_first", [True, False])
def test_the_one_that_is_given_up_for_another_is_a_hedge(
    *, loser_is_first: bool, winner_ends_first: bool
) -> None:
    played = model()
    both = [asked(played, says("Hello!")) for _ in range(2)]
    loser, winner = both if loser_is_first else both[::-1]
    if winner_ends_first:
        ends(winner)
    ends(loser, is_answered=False, is_given_up=True)
    if not winner_ends_first:
        ends(winner)

    assert played.conversations.counts[Manner.HEDGE] == 1
    assert played.conversations.counts.total() == 2


def test_what_nobody_is_known_to_ask_is_shared_and_answered() -> None:
    played = model()
    reply = asked(played, says("Refresh the cache."), None)

    assert reply.reply.status == 200
    assert session_of(reply.session) == SHARED
    assert played.conversations.rules == {Rule.SHARED: 1}


def test_a_text_of_one_session_says_whose_request_it_is() -> None:
    played = model()
    of_one = says(f"Sum up: {Mark(2, 0, owner=2).text}lorem, and {Mark(1, 0, 1).text}ipsum.")
    of_two = says(f"Sum up: {Mark(2, 0, owner=2).text}lorem, and {Mark(1, 0, owner=1).text}ipsum.")

    assert session_of(asked(played, of_one, None).session) == 2
    assert session_of(asked(played, of_two, None).session) == SHARED


def test_a_session_that_never_ends_asking_is_refused() -> None:
    played = model()
    statuses = [asked(played, says(f"Question {n}")).reply.status for n in range(62)]
    message = json.loads(asked(played, says("Once more")).reply.body)["error"]["message"]

    assert statuses == [200] * 60 + [400] * 2
    assert "more than 60 model calls" in message
    assert "max_model_calls" in message


def test_so_is_one_that_asks_the_same_for_ever() -> None:
    played = model()
    statuses = []
    for _ in range(62):
        reply = asked(played, says("Again."))
        statuses.append(reply.reply.status)
        if reply.attempt is not None:
            ends(reply)

    assert statuses == [200] * 60 + [400] * 2
