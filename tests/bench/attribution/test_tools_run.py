"""A tool that the model asks for and that does not run is told, unless its result was known."""

import pytest
from warpbench.bench.attribution.tools_run import ToolsRun, say_left_out
from warpbench.mocks.workload.script import (
    ModelCallScript,
    SessionScript,
    ToolCallScript,
    ToolKind,
)


def tool(name: str, arguments: str = "{}") -> ToolCallScript:
    return ToolCallScript(name=name, kind=ToolKind.ASYNC, latency_ns=10, arguments=arguments)


def session(number: int, *calls: tuple[ToolCallScript, ...]) -> SessionScript:
    return SessionScript(
        session=number,
        model_calls=tuple(
            ModelCallScript(latency_ns=10, prompt_tokens=1, completion_tokens=1, tool_calls=of_call)
            for of_call in calls
        ),
    )


SEARCH, LOOKUP = tool("search", '{"q":"Vienna"}'), tool("lookup")


def test_all_that_ran_leaves_none_out() -> None:
    script = session(0, (SEARCH, LOOKUP), ())
    tools = ToolsRun([script], {(0, 0, 0): 5, (0, 0, 1): 5})
    assert tools.left_out(script, 100) == ()


def test_what_did_not_run_is_left_out_and_told_with_the_count() -> None:
    script = session(0, (SEARCH, LOOKUP, tool("lookup", '{"n":1}')), ())
    left_out = ToolsRun([script], {(0, 0, 0): 5}).left_out(script, 100)
    assert [call.name for call in left_out] == ["lookup", "lookup"]
    assert say_left_out(left_out, script).startswith(
        "did not run 2 of the 3 tool calls that the model asked for: lookup (2 times)"
    )


@pytest.mark.parametrize(("begun_ns", "is_explained"), [(50, True), (100, False), (150, False)])
def test_an_equal_call_of_any_session_explains_it_if_it_ran_earlier(
    begun_ns: int, is_explained: bool
) -> None:
    own, other = session(0, (SEARCH,), ()), session(1, (SEARCH,), ())
    tools = ToolsRun([own, other], {(1, 0, 0): begun_ns})
    assert (tools.left_out(own, 100) == ()) is is_explained


def test_one_with_other_arguments_explains_nothing() -> None:
    own, other = session(0, (SEARCH,), ()), session(1, (tool("search"),), ())
    assert ToolsRun([own, other], {(1, 0, 0): 5}).left_out(own, 100) == (SEARCH,)
