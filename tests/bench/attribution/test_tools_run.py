"""A tool of the script that does not run is told, unless its result was known."""

import pytest
from warpbench.bench.attribution.tools_run import LeftOut, ToolsRun, asked_in, say_left_out
from warpbench.mocks.workload.script import (
    ModelCallScript,
    SessionScript,
    ToolCallScript,
    ToolKind,
)

pytestmark = pytest.mark.once

At = tuple[int, int, int]


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


def left_out(
    script: SessionScript, *others: SessionScript, ended_ns: dict[At, int], begun_ns: dict[At, int]
) -> LeftOut:
    """What a session left out that goes on at 100 after its first answer, and at 200 then."""
    spans_ns = {at: (end_ns - 10, end_ns) for at, end_ns in ended_ns.items()}
    tools = ToolsRun([script, *others], {**begun_ns, **ended_ns}, spans_ns)
    return tools.left_out(script, lambda step: 100 * (step + 1))


def test_all_that_ran_leaves_none_out() -> None:
    script = session(0, (SEARCH, LOOKUP), ())
    found = left_out(script, ended_ns={(0, 0, 0): 15, (0, 0, 1): 15}, begun_ns={})
    assert found == LeftOut()


def test_what_was_cut_short_has_run() -> None:
    script = session(0, (SEARCH,), ())
    assert left_out(script, ended_ns={}, begun_ns={(0, 0, 0): 5}) == LeftOut()


def test_what_did_not_run_is_left_out_and_told_with_the_count() -> None:
    script = session(0, (SEARCH, LOOKUP, tool("lookup", '{"n":1}')), ())
    found = left_out(script, ended_ns={(0, 0, 0): 15}, begun_ns={})
    assert [call.name for call in found.unexplained] == ["lookup", "lookup"]
    assert say_left_out(found.unexplained, script).startswith(
        "did not run 2 of the 3 tool calls of its script: lookup (2 times)"
    )


@pytest.mark.parametrize(("ended_ns", "is_explained"), [(50, True), (100, True), (101, False)])
def test_an_equal_call_of_any_session_explains_it_if_it_had_ended_by_then(
    ended_ns: int, is_explained: bool
) -> None:
    own, other = session(0, (SEARCH,), ()), session(1, (SEARCH,), ())
    found = left_out(own, other, ended_ns={(1, 0, 0): ended_ns}, begun_ns={})
    assert found == (LeftOut((SEARCH,)) if is_explained else LeftOut((), (SEARCH,)))


def test_one_that_only_began_explains_nothing() -> None:
    own, other = session(0, (SEARCH,), ()), session(1, (SEARCH,), ())
    found = left_out(own, other, ended_ns={}, begun_ns={(1, 0, 0): 5})
    assert found == LeftOut((), (SEARCH,))


def test_a_later_one_of_the_same_session_explains_an_earlier_one_no_more() -> None:
    script = session(0, (SEARCH,), (SEARCH,), ())
    assert left_out(script, ended_ns={(0, 1, 0): 150}, begun_ns={}) == LeftOut((), (SEARCH,))
    assert left_out(script, ended_ns={(0, 0, 0): 50}, begun_ns={}) == LeftOut((SEARCH,))


def test_what_was_asked_before_the_trial_explains_it() -> None:
    script = session(0, (SEARCH,), ())
    before = asked_in({-1: session(-1, (SEARCH,), ())}, [(-1, 0, 0)])
    found = ToolsRun([script], {}, {}, before).left_out(script, lambda _step: 100)
    assert found == LeftOut((SEARCH,))


def test_one_with_other_arguments_explains_nothing() -> None:
    own, other = session(0, (SEARCH,), ()), session(1, (tool("search"),), ())
    found = left_out(own, other, ended_ns={(1, 0, 0): 15}, begun_ns={})
    assert found == LeftOut((), (SEARCH,))
