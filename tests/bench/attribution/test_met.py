"""What of its script a session met, and what its ideal counts of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.met import Met, checked, script_met, tools_not_run
from warpbench.bench.attribution.tools_run import ToolsRun
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.tools_not_run import ToolsNotRun
from warpbench.mocks.workload.ideal import Waits, ideal_latencies_ns
from warpbench.mocks.workload.script import (
    ModelCallScript,
    Script,
    SessionScript,
    ToolCallScript,
    ToolKind,
)

pytestmark = pytest.mark.once

TOOL = ToolCallScript("t", "{}", ToolKind.ASYNC, 50)
ANSWER = ModelCallScript(100, 1, 1, ())
SESSION = SessionScript(0, (replace(ANSWER, tool_calls=(TOOL,)), ANSWER))
NESTED = SessionScript(
    0,
    (
        replace(ANSWER, tool_calls=(replace(TOOL, session=SessionScript(9, (ANSWER,))),)),
        ANSWER,
    ),
)
SUCCEEDED = SessionSample(0, Outcome.SUCCEEDED, 0, 250)


def met(span: tuple[int, int] | None = (100, 150), **more: dict[tuple[int, int], int]) -> Met:
    return Met(
        asked_ns={(0, 0): 0, (0, 1): 150} | more.get("asked_ns", {}),
        read_ns={(0, 0): 100, (0, 1): 250} | more.get("read_ns", {}),
        tool_spans_ns={} if span is None else {(0, 0, 0): span},
    )


def ideal_ns(script: SessionScript, found: Met, sample: SessionSample = SUCCEEDED) -> int:
    (ideal,) = ideal_latencies_ns(
        Script("s", 1, script_met([script], [sample], found)), Waits.ALL, cores=1
    )
    return ideal


@pytest.mark.parametrize(
    ("span", "counts_ns"),
    [
        pytest.param((100, 150), 50, id="waited for"),
        pytest.param(None, 0, id="not called"),
        pytest.param((60, 110), 10, id="begun while its answer streamed"),
        pytest.param((120, 170), 30, id="running on"),
        pytest.param((160, 210), 0, id="called later"),
    ],
)
def test_a_tool_counts_as_far_as_it_held_the_session_up(
    span: tuple[int, int] | None, counts_ns: int
) -> None:
    assert ideal_ns(SESSION, met(span)) == 200 + counts_ns


def test_of_a_session_that_did_not_succeed_the_script_is_left_as_it_is() -> None:
    failed = replace(SUCCEEDED, outcome=Outcome.FAILED)

    assert ideal_ns(SESSION, met(None), failed) == 250


@pytest.mark.parametrize(("read_ns", "counts_ns"), [(250, 150), (251, 50)])
def test_a_nested_session_that_runs_on_in_the_background_does_not_count(
    read_ns: int, counts_ns: int
) -> None:
    found = met(asked_ns={(0, 1): 250, (9, 0): 150}, read_ns={(0, 1): 350, (9, 0): read_ns})

    assert ideal_ns(NESTED, found, replace(SUCCEEDED, end_ns=350)) == 200 + counts_ns


@pytest.mark.parametrize(
    ("read_ns", "outcome"),
    [
        pytest.param({}, Outcome.SUCCEEDED, id="all"),
        pytest.param({(0, 0): 151}, Outcome.FAILED, id="read on while the next was asked for"),
        pytest.param({(0, 1): 251}, Outcome.FAILED, id="read on after the session's end"),
    ],
)
def test_an_answer_has_to_be_there_before_the_session_goes_on(
    read_ns: dict[tuple[int, int], int], outcome: Outcome
) -> None:
    found = checked(SUCCEEDED, SESSION, Waits.ALL, met(read_ns=read_ns), ())

    assert found.outcome is outcome


@given(st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted), st.integers(100, 150))
def test_the_ideal_is_never_longer_than_the_script_or_the_session(
    span: list[int], asked_ns: int
) -> None:
    begin_ns, end_ns = span
    found = met((begin_ns, end_ns), asked_ns={(0, 1): asked_ns}, read_ns={(0, 1): asked_ns + 100})
    sample = replace(SUCCEEDED, end_ns=asked_ns + 100)

    assert ideal_ns(SESSION, found, sample) <= min(250, sample.latency_ns)


@pytest.mark.parametrize(
    ("begun_ns", "error"),
    [
        pytest.param({(0, 0, 0): 100}, None, id="run"),
        pytest.param({}, "the session did not run 1 of the 1 tool calls", id="left out"),
    ],
)
@pytest.mark.parametrize("waits", [Waits.ALL, Waits.MODEL])
def test_a_session_that_takes_the_labs_tools_has_to_run_them(
    waits: Waits, begun_ns: dict[tuple[int, int, int], int], error: str | None
) -> None:
    tools = ToolsRun([SESSION], begun_ns, {})
    found = checked(SUCCEEDED, SESSION, waits, met(), (), tools=tools)
    assert found.outcome is (Outcome.SUCCEEDED if error is None else Outcome.FAILED)
    assert error is None or str(found.error).startswith(error)


def test_where_tools_are_optional_it_has_not_and_what_did_not_run_is_counted() -> None:
    assert checked(SUCCEEDED, SESSION, Waits.ALL, met(None), ()) is SUCCEEDED

    tools = ToolsRun([SESSION], {}, {})
    counted = tools_not_run([SUCCEEDED], {0: SESSION}, Waits.ALL, met(None), tools)

    assert counted == ToolsNotRun(optional=1, optional_sessions=1)


def test_a_session_that_failed_counts_for_nothing() -> None:
    failed = replace(SUCCEEDED, outcome=Outcome.FAILED, error="the session did not run")
    tools = ToolsRun([SESSION], {}, {})
    counted = tools_not_run([failed], {0: SESSION}, Waits.ALL, met(None), tools)

    assert counted == ToolsNotRun()
