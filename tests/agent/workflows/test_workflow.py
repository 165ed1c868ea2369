"""Workflows: in order, side by side where they can be, and nothing that must not begin."""

import asyncio
import time
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import (
    Agent,
    Mode,
    Prompt,
    RunningLoopError,
    SettingsError,
    StepContext,
    StepFailedError,
    Usage,
    Workflow,
    WorkflowError,
)

from ..scripted import Model, final
from ..virtual import in_virtual_time, on_each_loop


def plain(seconds: float, result: object = None) -> Any:
    def action(context: StepContext) -> object:
        time.sleep(seconds)
        return result

    return action


def awaited(seconds: float, result: object = None) -> Any:
    async def action(context: StepContext) -> object:
        await asyncio.sleep(seconds)
        return result

    return action


def diamond() -> Workflow:
    workflow = Workflow()
    workflow.add("top", awaited(1, "t"))
    workflow.add("left", awaited(2, "l"), after=["top"])
    workflow.add("right", plain(3, "r"), after=["top"])
    workflow.add(
        "bottom", lambda context: f"{context['left']}{context['right']}", after=["left", "right"]
    )
    return workflow


@on_each_loop
def test_ready_steps_run_at_once(loop: str) -> None:
    result, seconds = in_virtual_time(diamond().arun, loop)
    assert seconds == 1 + 3
    assert result["bottom"] == "lr"
    assert list(result.results) == ["top", "left", "right", "bottom"]


def test_in_a_thread_they_run_one_after_another() -> None:
    result, seconds = in_virtual_time(diamond().run)
    assert seconds == 1 + 2 + 3
    assert result["bottom"] == "lr"


@on_each_loop
def test_a_step_waits_for_its_own_and_not_for_its_level(loop: str) -> None:
    workflow = Workflow()
    workflow.add("slow", awaited(10))
    workflow.add("quick", awaited(1))
    workflow.add("after quick", awaited(1), after=["quick"])
    workflow.add("after that", awaited(1), after="after quick")
    result, seconds = in_virtual_time(workflow.arun, loop)
    assert seconds == 10
    assert list(result.results) == ["quick", "after quick", "after that", "slow"]


def run_both(workflow: Workflow, task: str = "") -> list[Any]:
    return [workflow.run(task), asyncio.run(workflow.arun(task))]


def test_a_step_knows_the_task_and_what_came_before_it_and_nothing_else() -> None:
    seen: list[StepContext] = []
    workflow = Workflow()
    workflow.add("aside", lambda context: "a")
    workflow.add("first", lambda context: "f")
    workflow.add("second", lambda context: "s", after=["first"])
    workflow.add("third", seen.append, after=["second"])
    run_both(workflow, "the task")
    assert seen == [StepContext("the task", {"first": "f", "second": "s"})] * 2


@pytest.mark.parametrize("wanted", [True, False])
def test_conditions_plain_and_async_decide(wanted: bool) -> None:
    async def later(context: StepContext) -> bool:
        await asyncio.sleep(0)
        return wanted

    workflow = Workflow()
    workflow.add("async", plain(0, 1), condition=later)
    workflow.add("plain", plain(0, 2), condition=lambda context: wanted)
    workflow.add("after", plain(0, 3), after=["async"])
    workflow.add("after that", plain(0, 4), after=["after", "free"])
    workflow.add("free", plain(0, 5))
    for result in run_both(workflow):
        if wanted:
            assert result.skipped == ()
        else:
            # What is skipped takes along what comes after it.
            assert result.skipped == ("async", "plain", "after", "after that")
            assert dict(result.results) == {"free": 5}


def test_a_condition_may_look_at_results() -> None:
    workflow = Workflow()
    workflow.add("count", lambda context: 3)
    workflow.add("few", plain(0), after=["count"], condition=lambda c: c["count"] < 3)
    workflow.add("many", plain(0), after=["count"], condition=lambda c: c["count"] >= 3)
    assert [result.skipped for result in run_both(workflow)] == [("few",)] * 2


def failing(times: int) -> Any:
    tries = 0

    def action(context: StepContext) -> str:
        nonlocal tries
        tries += 1
        if tries <= times:
            raise LookupError(f"try {tries}")
        return f"try {tries}"

    return action


@on_each_loop
def test_a_step_is_tried_again_after_its_delay(loop: str) -> None:
    workflow = Workflow()
    workflow.add("shaky", failing(2), retries=2, retry_delay_s=5)
    result, seconds = in_virtual_time(workflow.arun, loop)
    assert (result["shaky"], seconds) == ("try 3", 10)


def test_in_a_thread_too() -> None:
    workflow = Workflow()
    workflow.add("shaky", failing(2), retries=2, retry_delay_s=5)
    result, seconds = in_virtual_time(workflow.run)
    assert (result["shaky"], seconds) == ("try 3", 10)


@on_each_loop
def test_a_failed_step_cancels_those_beside_it_and_begins_nothing_after_it(loop: str) -> None:
    begun = []
    workflow = Workflow()
    workflow.add("bad", failing(9), retries=1, retry_delay_s=1)
    workflow.add("after", begun.append, after=["bad"])
    workflow.add("beside", awaited(100))

    async def main() -> None:
        with pytest.raises(StepFailedError, match="step 'bad' failed: LookupError: try 2") as e:
            await workflow.arun()
        assert e.value.step == "bad"
        assert isinstance(e.value.__cause__, LookupError)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    assert in_virtual_time(main, loop)[1] == 1
    assert begun == []


def test_a_cancelled_workflow_waits_for_its_threads() -> None:
    workflow = Workflow()
    workflow.add("plain", plain(3))
    workflow.add("after", plain(3), after=["plain"])

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await workflow.arun()

    assert in_virtual_time(main)[1] == 3


def test_context_variables_reach_plain_steps() -> None:
    user: ContextVar[str] = ContextVar("user")
    workflow = Workflow()
    workflow.add("who", lambda context: user.get())

    async def main() -> Any:
        user.set("ada")
        return await workflow.arun()

    assert asyncio.run(main())["who"] == "ada"


def test_steps_may_be_functions_decorated() -> None:
    workflow = Workflow()

    @workflow.step(after=["one"])
    async def two(context: StepContext) -> int:
        return int(str(context["one"])) + 1

    @workflow.step()
    def one(context: StepContext) -> int:
        return 1

    for result in run_both(workflow):
        assert dict(result.results) == {"one": 1, "two": 2}


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([("a", ["a"])], "step 'a' would wait for itself: a → a"),
        ([("a", ["b"]), ("b", ["a"])], "step 'b' would wait for itself: b → a → b"),
        (
            [("a", ["c"]), ("b", ["a"]), ("c", ["x", "b"])],
            "step 'c' would wait for itself: c → b → a → c",
        ),
        ([("a", []), ("a", [])], "two steps are named 'a'"),
    ],
)
def test_a_cycle_is_refused_when_it_is_closed(steps: Any, complaint: str) -> None:
    workflow = Workflow()
    for name, after in steps[:-1]:
        workflow.add(name, plain(0), after=after)
    with pytest.raises(WorkflowError, match=complaint):
        workflow.add(steps[-1][0], plain(0), after=steps[-1][1])


edges = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


@given(edges)
def test_no_graph_that_was_accepted_ever_stands_still(edges: list[tuple[int, int]]) -> None:
    after: dict[str, list[str]] = {str(number): [] for number in range(6)}
    for waiting, for_ in edges:
        after[str(waiting)].append(str(for_))
    workflow = Workflow()
    order: list[str] = []
    try:
        for name, names in after.items():
            workflow.add(name, lambda context, name=name: order.append(name), after=names)
    except WorkflowError:
        return
    workflow.run()
    assert sorted(order) == sorted(after)
    assert all(order.index(a) < order.index(b) for b in after for a in after[b])


def test_a_step_after_one_that_is_missing_is_refused_at_the_start() -> None:
    workflow = Workflow()
    workflow.add("a", plain(0), after=["b"])
    with pytest.raises(WorkflowError, match=r"step 'a' comes after \['b'\]"):
        workflow.run()


@pytest.mark.parametrize("wrong", [{"retries": -1}, {"retry_delay_s": -1}])
def test_negative_numbers_are_refused(wrong: Any) -> None:
    with pytest.raises(WorkflowError, match="at least 0"):
        Workflow().add("a", plain(0), **wrong)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(WorkflowError, match="cannot be called"):
        Workflow().add("a", "a prompt without its agent")  # type: ignore[arg-type]


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return final(f"<{body['messages'][-1]['content']}>")


def outline_and_draft(agent: Agent) -> Workflow:
    workflow = Workflow()
    workflow.add("outline", Prompt(agent, "Outline {task}."))
    workflow.add("draft", Prompt(agent, "Draft {outline} on {task}."), after=["outline"])
    return workflow


def test_prompts_ask_an_agent_with_the_results_before_them() -> None:
    model = Model(respond=echo)
    with model.client() as client, Agent(client=client) as agent:
        result = outline_and_draft(agent).run("tea")
    assert str(result["draft"]) == "<Draft <Outline tea.> on tea.>"
    assert result.usage == Usage(20, 4)
    # Each prompt is a conversation of its own.
    assert [len(body["messages"]) for body in model.bodies] == [1, 1]


def test_an_agents_mode_may_be_its_workflow() -> None:
    model = Model(respond=echo)

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as writer:
            workflow = outline_and_draft(writer)
            agent = Agent(mode="workflow", workflow=workflow, async_client=client)
            answer = await agent.chat_async("tea")
            assert answer.text == "<Draft <Outline tea.> on tea.>"
            assert (answer.rounds, answer.usage) == (2, Usage(20, 4))

    asyncio.run(main())


def test_a_mode_needs_what_it_runs() -> None:
    with pytest.raises(SettingsError, match="pass workflow="):
        Agent(mode=Mode.WORKFLOW)
    with pytest.raises(SettingsError, match=r"mode is 'automatic'; expected one of \['normal'"):
        Agent(mode="automatic")


def test_a_sync_workflow_inside_a_running_loop_names_its_twin() -> None:
    async def main() -> None:
        diamond().run()

    with pytest.raises(RunningLoopError, match=r"workflow\.arun"):
        asyncio.run(main())
