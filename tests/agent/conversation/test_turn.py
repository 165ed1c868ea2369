import json

import pytest
from warpbench.agent import (
    Answer,
    Conversation,
    ConversationError,
    MaxRoundsError,
    SettingsError,
    Tool,
    Usage,
)
from warpbench.agent.conversation.request_plan import Plan
from warpbench.agent.conversation.turn import State, Turn
from warpbench.agent.messages import ModelAnswer, ToolCall, ToolResult
from warpbench.agent.tools.toolbox import Toolbox

from ..scripted import call

pytestmark = pytest.mark.once

ADD = Tool(
    name="add",
    description="Add.",
    parameters={
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    function=lambda a, b: a + b,
)


TOOLBOX = Toolbox({"add": ADD})


def begin(
    max_rounds: int = 10,
    instructions: str | None = None,
    conversation: Conversation | None = None,
) -> Turn:
    plan = Plan("m", {}, instructions, lambda: TOOLBOX)
    return Turn(plan, conversation or Conversation(), "task", max_rounds)


def ask(*tool_calls: ToolCall) -> ModelAnswer:
    return ModelAnswer(None, None, tool_calls, "tool_calls", Usage(10, 2))


FINAL = ModelAnswer("three", None, (), "stop", Usage(20, 3))


def messages(turn: Turn) -> list[dict[str, object]]:
    return json.loads(turn.request())["messages"]


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
    turn = begin()
    assert turn.receive(FINAL) == ()
    assert turn.is_over
    assert turn.answer == Answer("three", 1, Usage(20, 3), "stop")


def test_calls_are_given_out_and_their_results_go_back() -> None:
    turn = begin()
    (invocation,) = turn.receive(ask(call("add", "1", a=1, b=2)))
    assert turn.state is State.TOOLS
    turn.add_results([invocation.run()])
    assert messages(turn)[1:] == [
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
    turn.receive(FINAL)
    assert turn.answer == Answer("three", 2, Usage(30, 5), "stop")


def test_calls_that_cannot_run_are_answered_in_their_place() -> None:
    turn = begin()
    asked = ask(call("sub", "1"), call("add", "2", a=1, b=2), call("add", "3", a=1))
    runnable = turn.receive(asked)
    assert [invocation.call.id for invocation in runnable] == ["2"]
    turn.add_results([ToolResult("2", "3")])
    results = messages(turn)[2:]
    assert [result["tool_call_id"] for result in results] == ["1", "2", "3"]
    assert [str(result["content"])[:5] for result in results] == ["error", "3", "error"]


def test_an_answer_of_wrong_calls_only_leaves_nothing_to_run() -> None:
    turn = begin()
    assert turn.receive(ask(call("sub"))) == []
    turn.add_results([])
    assert turn.state is State.MODEL


def test_the_last_round_may_answer() -> None:
    turn = begin(max_rounds=1)
    turn.receive(FINAL)
    assert turn.answer.text == "three"


def test_calls_in_the_last_round_are_an_error_and_do_not_run() -> None:
    turn = begin(max_rounds=1)
    with pytest.raises(MaxRoundsError, match="max_rounds=1"):
        turn.receive(ask(call("add", a=1, b=2)))
    assert turn.state is State.OVER


def test_a_model_without_words_ends_with_an_empty_text() -> None:
    turn = begin()
    turn.receive(ModelAnswer(None, "I will not.", (), "stop", Usage()))
    assert turn.answer == Answer("", 1, Usage(), "stop", refusal="I will not.")


def test_nothing_happens_out_of_turn() -> None:
    turn = begin()
    with pytest.raises(ConversationError, match="waiting for the model's answer"):
        turn.add_results([ToolResult("1", "3")])
    with pytest.raises(ConversationError, match="has no answer; it waits for the model's answer"):
        _ = turn.answer
    turn.receive(ask(call("add", "1", a=1, b=2)))
    with pytest.raises(ConversationError, match="waiting for the results of tools"):
        turn.request()
    with pytest.raises(ConversationError, match=r"calls \['2'\], expected \['1'\]"):
        turn.add_results([ToolResult("2", "")])
    turn.add_results([ToolResult("1", "3")])
    turn.receive(FINAL)
    with pytest.raises(ConversationError, match="it is over"):
        turn.receive(FINAL)


def test_at_least_one_round_is_needed() -> None:
    with pytest.raises(SettingsError, match="max_rounds is 0"):
        begin(max_rounds=0)


def test_the_conversation_gets_the_turn_at_its_end_and_not_before() -> None:
    conversation = Conversation()
    turn = begin(conversation=conversation)
    (invocation,) = turn.receive(ask(call("add", "1", a=1, b=2)))
    turn.add_results([invocation.run()])
    assert conversation.messages == []
    turn.receive(FINAL)
    assert [message["role"] for message in conversation.messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert messages(begin(conversation=conversation))[:4] == conversation.messages


def test_a_turn_that_fails_leaves_no_trace_but_its_usage() -> None:
    conversation = Conversation()
    with pytest.raises(MaxRoundsError):
        begin(max_rounds=1, conversation=conversation).receive(ask(call("add", a=1, b=2)))
    assert conversation.messages == []
    assert conversation.summary().usage == Usage(10, 2)
