import json

import pytest
from warpbench.agent import (
    Answer,
    ConversationError,
    MaxRoundsError,
    SettingsError,
    Tool,
    Usage,
)
from warpbench.agent.conversation import Conversation, Plan, State
from warpbench.agent.messages import ModelAnswer, ToolCall, ToolResult

from .scripted import call

ADD = Tool(
    name="add",
    description="Add.",
    parameters={
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    function=lambda a, b: a + b,
)


def begin(max_rounds: int = 10, instructions: str | None = None) -> Conversation:
    plan = Plan.of(model="m", instructions=instructions, tools=[ADD], max_rounds=max_rounds)
    return Conversation(plan, "task")


def ask(*tool_calls: ToolCall) -> ModelAnswer:
    return ModelAnswer(None, None, tool_calls, "tool_calls", Usage(10, 2))


FINAL = ModelAnswer("three", None, (), "stop", Usage(20, 3))


def messages(conversation: Conversation) -> list[dict[str, object]]:
    return json.loads(conversation.request())["messages"]


def test_the_first_request_has_model_tools_instructions_and_task() -> None:
    assert json.loads(begin(instructions="Be brief.").request()) == {
        "model": "m",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "add",
                    "description": "Add.",
                    "parameters": ADD.parameters,
                },
            }
        ],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "task"},
        ],
    }


def test_an_answer_without_calls_is_the_end() -> None:
    conversation = begin()
    assert conversation.receive(FINAL) == Answer("three", 1, Usage(20, 3), "stop")
    assert conversation.state is State.OVER


def test_calls_are_given_out_and_their_results_go_back() -> None:
    conversation = begin()
    (invocation,) = conversation.receive(ask(call("add", "1", a=1, b=2)))
    assert conversation.state is State.TOOLS
    conversation.add_results([invocation.run()])
    assert messages(conversation)[1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "3"},
    ]
    assert conversation.receive(FINAL) == Answer("three", 2, Usage(30, 5), "stop")


def test_calls_that_cannot_run_are_answered_in_their_place() -> None:
    conversation = begin()
    asked = ask(call("sub", "1"), call("add", "2", a=1, b=2), call("add", "3", a=1))
    runnable = conversation.receive(asked)
    assert [invocation.call_id for invocation in runnable] == ["2"]
    conversation.add_results([ToolResult("2", "3")])
    results = messages(conversation)[2:]
    assert [result["tool_call_id"] for result in results] == ["1", "2", "3"]
    assert [str(result["content"])[:5] for result in results] == ["error", "3", "error"]


def test_an_answer_of_wrong_calls_only_leaves_nothing_to_run() -> None:
    conversation = begin()
    assert conversation.receive(ask(call("sub"))) == []
    conversation.add_results([])
    assert conversation.state is State.MODEL


def test_the_last_round_may_answer() -> None:
    conversation = begin(max_rounds=1)
    assert isinstance(conversation.receive(FINAL), Answer)


def test_calls_in_the_last_round_are_an_error_and_do_not_run() -> None:
    conversation = begin(max_rounds=1)
    with pytest.raises(MaxRoundsError, match="max_rounds=1"):
        conversation.receive(ask(call("add", a=1, b=2)))
    assert conversation.state is State.OVER


def test_a_model_without_words_ends_with_an_empty_text() -> None:
    answer = begin().receive(ModelAnswer(None, "I will not.", (), "stop", Usage()))
    assert answer == Answer("", 1, Usage(), "stop", refusal="I will not.")


def test_nothing_happens_out_of_turn() -> None:
    conversation = begin()
    with pytest.raises(ConversationError, match="waiting for the model's answer"):
        conversation.add_results([])
    conversation.receive(ask(call("add", "1", a=1, b=2)))
    with pytest.raises(ConversationError, match="waiting for the results of tools"):
        conversation.request()
    with pytest.raises(ConversationError, match=r"calls \['2'\], expected \['1'\]"):
        conversation.add_results([ToolResult("2", "")])
    conversation.add_results([ToolResult("1", "3")])
    conversation.receive(FINAL)
    with pytest.raises(ConversationError, match="it is over"):
        conversation.receive(FINAL)


def test_at_least_one_round_is_needed() -> None:
    with pytest.raises(SettingsError, match="max_rounds is 0"):
        begin(max_rounds=0)
