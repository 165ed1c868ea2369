"""Calls of tools and results that do not match are told, where the real API refuses them."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.model.apis import WIRE_FORMATS
from warpbench.mocks.model.tool_results import (
    CALL_WITHOUT_RESULT,
    ITEM_TWICE,
    RESULT_WITHOUT_CALL,
    TWO_CALLS,
    TWO_RESULTS,
)

pytestmark = pytest.mark.once

Entry = dict[str, Any]
Rounds = list[int]
"""How many tools each answer asks for; an answer without any is a text, and a user goes on."""

Broken = tuple[Rounds, int, Rounds]
"""What comes before a round that is broken, how many tools it has, and what comes after."""


def answered(role: str) -> list[Entry]:
    return [{"role": role, "content": "It is sunny."}, {"role": "user", "content": "And then?"}]


def chat_call(identifier: str) -> Entry:
    function = {"name": "weather", "arguments": "{}"}
    return {"id": identifier, "type": "function", "function": function}


def chat_calls(identifiers: Iterable[str]) -> Entry:
    calls = [chat_call(each) for each in identifiers]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def chat_result(identifier: str) -> Entry:
    return {"role": "tool", "tool_call_id": identifier, "content": "sunny"}


def call_item(identifier: str) -> Entry:
    names = {"call_id": identifier, "id": f"fc_{identifier}", "name": "weather"}
    return {"type": "function_call", **names, "arguments": "{}"}


def output_item(identifier: str) -> Entry:
    return {"type": "function_call_output", "call_id": identifier, "output": "sunny"}


def use_block(identifier: str) -> Entry:
    return {"type": "tool_use", "id": identifier, "name": "weather", "input": {}}


def result_block(identifier: str) -> Entry:
    return {"type": "tool_result", "tool_use_id": identifier, "content": "sunny"}


def in_chat(identifiers: list[str]) -> list[Entry]:
    return [chat_calls(identifiers), *(chat_result(each) for each in reversed(identifiers))]


def in_responses(identifiers: list[str]) -> list[Entry]:
    calls = [call_item(each) for each in identifiers]
    return [{"type": "reasoning", "id": f"rs_{identifiers[0]}"}, *calls, *outputs(identifiers)]


def outputs(identifiers: list[str]) -> list[Entry]:
    return [output_item(each) for each in reversed(identifiers)]


def in_messages(identifiers: list[str]) -> list[Entry]:
    uses = [{"type": "text", "text": "I look it up."}, *map(use_block, identifiers)]
    results = [*map(result_block, reversed(identifiers)), {"type": "text", "text": "Go on."}]
    return [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]


ROUND: Mapping[str, Callable[[list[str]], list[Entry]]] = {
    "chat/completions": in_chat,
    "responses": in_responses,
    "messages": in_messages,
}
APIS = pytest.mark.parametrize("api", ROUND)
HISTORIES = st.lists(st.integers(0, 3), max_size=6)
BROKEN = st.tuples(HISTORIES, st.integers(1, 3), HISTORIES)


def history(api: str, rounds: Rounds, name: str) -> list[Entry]:
    found: list[Entry] = []
    for number, count in enumerate(rounds):
        identifiers = [f"{name}_{number}_{each}" for each in range(count)]
        found += ROUND[api](identifiers) if count else answered("assistant")
    return found


def told(api: str, history: list[Entry], **fields: Any) -> set[str]:
    (wire,) = (each for each in WIRE_FORMATS if each.name == api)
    key = "input" if api == "responses" else "messages"
    begun = {"role": "user", "content": "What is the weather?"}
    body = {"model": "m", "max_tokens": 9, key: [begun, *history], **fields}
    wrong = wire.read(json.dumps(body).encode()).wrong
    assert len(wrong) == len(set(wrong))
    return set(wrong)


@APIS
@given(rounds=HISTORIES)
def test_of_a_history_whose_calls_have_their_results_nothing_is_told(
    api: str, rounds: Rounds
) -> None:
    assert told(api, history(api, rounds, "call")) == set()


def broken(api: str, case: Broken, middle: list[Entry]) -> set[str]:
    before, _, after = case
    return told(api, [*history(api, before, "a"), *middle, *history(api, after, "b")])


def identifiers_of(case: Broken) -> list[str]:
    return [f"x_{number}" for number in range(case[1])]


def made(api: str, called: list[str], resulting: list[str]) -> list[Entry]:
    """Return a round whose calls and results are of these identifiers."""
    if api == "chat/completions":
        calls = [chat_calls(called)] if called else [{"role": "assistant", "content": "So."}]
        return [*calls, *map(chat_result, resulting)]
    if api == "responses":
        return [*map(call_item, called), *map(output_item, resulting)]
    said = {"type": "text", "text": "So."}
    return [
        {"role": "assistant", "content": [said, *map(use_block, called)]},
        {"role": "user", "content": [*map(result_block, resulting), said]},
    ]


@APIS
@given(case=BROKEN)
def test_a_call_whose_result_is_missing(api: str, case: Broken) -> None:
    called = identifiers_of(case)

    assert broken(api, case, made(api, called, called[1:])) == {CALL_WITHOUT_RESULT}


@APIS
@given(case=BROKEN)
def test_a_result_whose_call_is_missing(api: str, case: Broken) -> None:
    called = identifiers_of(case)

    assert broken(api, case, made(api, called[1:], called)) == {RESULT_WITHOUT_CALL}


@APIS
@given(case=BROKEN)
def test_the_result_of_another_call_in_its_place(api: str, case: Broken) -> None:
    called = identifiers_of(case)
    middle = made(api, called, ["of_another", *called[1:]])

    assert broken(api, case, middle) == {CALL_WITHOUT_RESULT, RESULT_WITHOUT_CALL}


@APIS
@given(rounds=HISTORIES, count=st.integers(1, 3))
def test_calls_at_the_end_of_the_history(api: str, rounds: Rounds, count: int) -> None:
    entries = made(api, [f"x_{each}" for each in range(count)], [])

    assert told(api, [*history(api, rounds, "a"), *entries]) == {CALL_WITHOUT_RESULT}


@APIS
def test_results_at_the_beginning_of_the_history(api: str) -> None:
    assert told(api, made(api, ["x"], ["x"])[1:]) == {RESULT_WITHOUT_CALL}


@pytest.mark.parametrize("api", ["chat/completions", "messages"])
@given(case=BROKEN)
def test_a_second_result_of_a_call(api: str, case: Broken) -> None:
    called = identifiers_of(case)

    assert broken(api, case, made(api, called, [*called, called[0]])) == {TWO_RESULTS}


@pytest.mark.parametrize("api", ["chat/completions", "messages"])
def test_a_result_that_comes_a_round_too_late(api: str) -> None:
    entries = [*made(api, ["x", "y"], ["x"]), *made(api, ["z"], ["z", "y"])]

    assert told(api, entries) == {CALL_WITHOUT_RESULT, RESULT_WITHOUT_CALL}


class TestChat:
    def test_a_message_of_another_role_ends_the_results(self) -> None:
        said = {"role": "user", "content": "Wait."}
        entries = [chat_calls(["x", "y"]), chat_result("x"), said, chat_result("y")]

        assert told("chat/completions", entries) == {CALL_WITHOUT_RESULT, RESULT_WITHOUT_CALL}

    def test_rounds_may_have_the_same_ids(self) -> None:
        assert told("chat/completions", [*in_chat(["call_0"]), *in_chat(["call_0"])]) == set()

    @pytest.mark.parametrize("results", [1, 2])
    def test_so_may_calls_of_one_round(self, results: int) -> None:
        entries = [chat_calls(["x", "x"]), *[chat_result("x")] * results]

        assert told("chat/completions", entries) == set()

    @pytest.mark.parametrize("calls", [None, [], "none", ["none"]])
    def test_what_is_no_list_of_calls_is_none(self, calls: Any) -> None:
        said = {"role": "assistant", "content": "So.", "tool_calls": calls}

        assert told("chat/completions", [said]) == set()


class TestResponses:
    @pytest.mark.parametrize(
        "fields", [{"previous_response_id": "resp_3_0"}, {"conversation": {"id": "conv_1"}}]
    )
    def test_what_continues_a_kept_conversation_says_nothing(self, fields: Any) -> None:
        assert told("responses", [output_item("x")], **fields) == set()

    @pytest.mark.parametrize(
        "item",
        [
            {"type": "item_reference", "id": "fc_3_0_0"},
            {"id": "fc_3_0_0"},
            {"type": "compaction", "encrypted_content": "…"},
        ],
    )
    def test_nor_is_what_refers_to_items_that_are_not_seen(self, item: Entry) -> None:
        assert told("responses", [item, output_item("x")]) == set()

    def test_the_order_does_not_matter(self) -> None:
        said = {"role": "user", "content": "Wait."}

        assert told("responses", [output_item("x"), said, call_item("x")]) == set()

    def test_of_other_kinds_of_calls_nothing_is_told(self) -> None:
        custom = {"type": "custom_tool_call", "call_id": "x", "name": "n", "input": ""}

        assert told("responses", [custom, output_item("x")]) == set()
        assert told("responses", [custom]) == set()

    def test_an_item_that_is_there_twice(self) -> None:
        assert told("responses", [*in_responses(["x"]), call_item("x")]) == {ITEM_TWICE}

    def test_an_input_that_is_a_text(self) -> None:
        (wire,) = (each for each in WIRE_FORMATS if each.name == "responses")

        assert wire.read(b'{"model": "m", "input": "What is the weather?"}').wrong == ()


class TestMessages:
    def test_messages_of_one_role_in_a_row_are_one_turn(self) -> None:
        entries = [
            {"role": "assistant", "content": [use_block("x")]},
            {"role": "assistant", "content": [use_block("y")]},
            {"role": "user", "content": [result_block("y")]},
            {"role": "user", "content": [result_block("x")]},
        ]

        assert told("messages", entries) == set()

    def test_an_id_that_two_calls_of_a_turn_have(self) -> None:
        assert TWO_CALLS in told("messages", made("messages", ["x", "x"], ["x"]))

    def test_what_the_server_runs_itself_is_no_call(self) -> None:
        used = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}

        assert told("messages", [{"role": "assistant", "content": [used]}]) == set()

    def test_a_conversation_that_the_server_keeps_says_nothing(self) -> None:
        entries = [{"role": "user", "content": [result_block("x")]}]

        assert told("messages", entries, thread={"previous_message_id": "msg_3_0"}) == set()
