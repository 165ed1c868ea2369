"""Autonomous work: until the model declares the task complete, or the limit."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from warpbench.agent import (
    Agent,
    Conversation,
    RunningLoopError,
    SettingsError,
    TaskResult,
    ToolDefinitionError,
    Usage,
    tool,
)

from ..scripted import Model, call, calls, final
from ..virtual import in_virtual_time


async def nap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "rested"


def run(model: Model, **settings: Any) -> Callable[[], TaskResult]:
    def main() -> TaskResult:
        with model.client() as client, Agent(nap, client=client) as agent:
            return agent.run("the task", **settings)

    return main


def arun(model: Model, **settings: Any) -> Callable[[], Any]:
    async def main() -> TaskResult:
        async with model.async_client() as client, Agent(nap, async_client=client) as agent:
            return await agent.arun("the task", **settings)

    return main


both_forms = pytest.mark.parametrize("form", [run, arun])
done = calls(call("complete_task", "9", answer="42"), content="That's it.")


@both_forms
def test_it_works_until_the_model_declares_the_task_complete(form: Any) -> None:
    model = Model([calls(call("nap", seconds=3)), done], latency_s=0.5)
    result, _ = in_virtual_time(form(model))
    assert result == TaskResult(
        task_completed=True,
        answer="42",
        iterations_used=2,
        execution_time=4.0,
        usage=Usage(20, 4),
    )


@both_forms
def test_no_second_is_spent_sleeping_between_rounds(form: Any) -> None:
    model = Model([*[final("Still at it.")] * 5, done])
    result, seconds = in_virtual_time(form(model))
    assert (result.iterations_used, seconds, result.execution_time) == (6, 0.0, 0.0)


@both_forms
@pytest.mark.parametrize("words", ["The task is complete. Done. Finished!", "", "I give up."])
def test_no_words_complete_a_task(form: Any, words: str) -> None:
    model = Model([final(words), done])
    assert in_virtual_time(form(model))[0].task_completed
    assert model.bodies[1]["messages"][-2]["role"] == "assistant"
    assert model.bodies[1]["messages"][-1]["role"] == "user"
    assert "complete_task" in model.bodies[1]["messages"][-1]["content"]


@both_forms
def test_at_its_limit_it_is_not_completed_and_nothing_is_raised(form: Any) -> None:
    model = Model([calls(call("nap", seconds=0), content="Resting.")] * 3)
    result, _ = in_virtual_time(form(model, max_iterations=3))
    assert result == TaskResult(
        task_completed=False,
        answer="Resting.",
        iterations_used=3,
        execution_time=0.0,
        usage=Usage(30, 6),
    )


@both_forms
def test_what_is_called_beside_the_declaration_still_runs(form: Any) -> None:
    both = calls(call("complete_task", "1", answer="42"), call("nap", "2", seconds=3))
    conversation = Conversation()
    result, seconds = in_virtual_time(form(Model([both]), conversation=conversation))
    assert (result.task_completed, result.answer, seconds) == (True, "42", 3.0)
    assert [m.get("content") for m in conversation.messages[2:]] == ["Noted.", "rested"]


@both_forms
def test_a_wrong_declaration_is_corrected(form: Any) -> None:
    wrong = calls(call("complete_task", "1", result="42"))
    model = Model([wrong, done])
    result, _ = in_virtual_time(form(model))
    assert result.task_completed
    assert "answer: Field required" in model.tool_texts()[0]


def test_the_last_round_may_declare() -> None:
    assert run(Model([done]), max_iterations=1)().task_completed


def test_the_instructions_say_how_it_ends_beside_the_agents_own() -> None:
    model = Model([done])
    with model.client() as client, Agent(client=client, instructions="Be brief.") as agent:
        agent.run("the task")
    system = model.bodies[0]["messages"][0]["content"]
    assert system.startswith("Be brief.\n\n")
    assert "complete_task" in system
    assert [t["function"]["name"] for t in model.bodies[0]["tools"]] == ["complete_task"]


def test_a_conversation_of_a_task_can_be_chatted_about() -> None:
    conversation = Conversation()
    model = Model([final("Hm."), done, final("Because.")])
    with model.client() as client, Agent(client=client) as agent:
        agent.run("the task", conversation=conversation)
        assert agent.chat("Why 42?", conversation=conversation).text == "Because."
    roles = [message["role"] for message in model.bodies[-1]["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "tool", "user"]
    assert "tools" not in model.bodies[-1]


def test_run_inside_a_running_loop_names_arun() -> None:
    async def main() -> None:
        with Agent(client=None) as agent, pytest.raises(RunningLoopError, match=r"agent\.arun"):
            agent.run("the task")

    asyncio.run(main())


def test_its_tool_keeps_its_name() -> None:
    @tool(name="complete_task")
    def mine() -> None: ...

    with (
        Model([done]).client() as client,
        Agent(mine, client=client) as agent,
        pytest.raises(ToolDefinitionError, match="'complete_task'"),
    ):
        agent.run("the task")


def test_a_task_takes_at_least_one_iteration() -> None:
    with Agent(client=None) as agent, pytest.raises(SettingsError, match="max_iterations is 0"):
        agent.run("the task", max_iterations=0)


def test_results_are_in_the_conversation_as_the_api_wants_them() -> None:
    conversation = Conversation()
    run(Model([calls(call("nap", "a", seconds=0)), done]), conversation=conversation)()
    asked = conversation.messages[1]["tool_calls"]
    assert [json.loads(c["function"]["arguments"]) for c in asked] == [{"seconds": 0}]
