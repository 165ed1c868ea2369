import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warpbench.agent import Agent, AgentError, Answer, Tool
from warpbench.agent.messages import ToolCall

from ..scripted import Model, calls, completion, final


def double(x: int) -> int:
    """Plain."""
    return 2 * x


async def triple(x: int) -> dict[str, int]:
    """Async."""
    await asyncio.sleep(0)
    return {"x": 3 * x}


def fail(x: int) -> str:
    """Fails."""
    raise LookupError(x)


RAW = Tool(
    name="raw",
    description="Checked by its schema.",
    parameters={"properties": {"x": {"type": "integer"}}, "required": ["x"]},
    function=lambda x: f"raw {x}",
)
TOOLS = [*map(Tool.from_function, (double, triple, fail)), RAW]

names = st.sampled_from(["double", "triple", "fail", "raw", "nowhere"])
arguments = st.one_of(
    st.integers(-9, 9).map(lambda x: f'{{"x": {x}}}'),
    st.sampled_from(["", "{", "[]", "{}", '{"x": "many"}', '{"x": 1, "y": 2}', "null"]),
    st.text(max_size=5),
)
tool_calls = st.lists(st.tuples(names, arguments), min_size=1, max_size=5).map(
    lambda pairs: [ToolCall(str(index), *pair) for index, pair in enumerate(pairs)]
)
texts = st.none() | st.text(max_size=10)
asking = st.builds(lambda asked, text: calls(*asked, content=text), tool_calls, texts)
ending = st.one_of(
    st.text(max_size=10).map(final),
    st.just(completion({"refusal": "no"}, "stop")),
    st.sampled_from([{}, {"choices": []}, {"choices": [{"message": 1}]}]),
)
scripts = st.builds(lambda rounds, end: [*rounds, end], st.lists(asking, max_size=4), ending)


def run_sync(model: Model, max_rounds: int) -> Answer | str:
    with (
        model.client() as client,
        Agent(TOOLS, client=client, max_rounds=max_rounds, tool_workers=2) as agent,
    ):
        try:
            return agent.chat("task")
        except AgentError as error:
            return repr(error)


async def run_async(model: Model, max_rounds: int) -> Answer | str:
    async with (
        model.async_client() as client,
        Agent(TOOLS, async_client=client, max_rounds=max_rounds, tool_workers=2) as agent,
    ):
        try:
            return await agent.chat_async("task")
        except AgentError as error:
            return repr(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts, st.integers(1, 5))
def test_both_agents_send_the_same_bytes_and_end_alike(script: list[Any], max_rounds: int) -> None:
    sync_model, async_model = Model(script), Model(script)
    assert run_sync(sync_model, max_rounds) == asyncio.run(run_async(async_model, max_rounds))
    assert [request.content for request in sync_model.requests] == [
        request.content for request in async_model.requests
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts)
def test_each_call_is_followed_by_its_one_result(script: list[Any]) -> None:
    model = Model(script)
    run_sync(model, max_rounds=10)
    messages = model.bodies[-1]["messages"][1:]
    while messages:
        asked, *messages = messages
        ids = [item["id"] for item in asked["tool_calls"]]
        results, messages = messages[: len(ids)], messages[len(ids) :]
        assert [result["tool_call_id"] for result in results] == ids
