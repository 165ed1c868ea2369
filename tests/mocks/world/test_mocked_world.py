"""Trials in a world that behaves like the real one: faults, limits, streams, nested agents."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.results.cell import NO_LOOP, Cell
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.strategies import available_strategies
from warpbench.bench.targets.loading import name_of_target
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import Scenario, load_scenario, parse_scenario
from warpbench.mocks.scenario.recording import (
    RecordedCall,
    RecordedSession,
    RecordedToolCall,
    recording_bytes,
)

SECOND_NS = 1_000_000_000
HEAD = """\
name = "world"
description = "A model call, a tool of half a second, and the answer."
sessions = 4

[model]
latency_s = 1.0
ttft_s = 0.2
completion_tokens = 9

[tools.look_up]
description = "Looks a word up."
kind = "async"
latency_s = 0.5

[[rounds]]
tools = [{ tool = "look_up" }]

[[rounds]]
"""
AGENTS = ("agent", "agent-streaming")
STRATEGIES = ("gather", "threads")


def measured(
    scenario: Scenario,
    strategy: str = "gather",
    target: object = "agent",
    concurrency: int | None = None,
    clock: ClockMode = ClockMode.VIRTUAL,
    sessions: int | None = None,
) -> tuple[Cell, TrialResult]:
    count = sessions or scenario.sessions
    cell = Cell(
        scenario=scenario.name,
        target=name_of_target(target),
        strategy=strategy,
        loop="asyncio" if available_strategies()[strategy].on_loop else NO_LOOP,
        transport="respx",
        clock=clock,
        concurrency=concurrency or count,
        session_count=count,
        seed=1,
        tool_workers=4 * count,
    )
    with prepared_here(TrialSpec(scenario, cell), target) as measure:
        assert not isinstance(measure, NotApplicable)
        return cell, measure()


def session(result: TrialResult, number: int) -> tuple[SessionSample, float]:
    (sample,) = (sample for sample in result.samples if sample.session == number)
    return sample, (sample.end_ns - sample.start_ns) / SECOND_NS


FIRST = "sessions = [1]\nsteps = [0]\nattempts = [1]\n"
# What a session of 2.5 s takes when its first attempt meets the fault, whole and streamed.
# The back-off before the second attempt is a random part of a second.
RECOVERED = {
    'kind = "status"\nstatus = 503': (2.5, 2.5),
    'kind = "status"\nstatus = 429\nretry_after_s = 2': (4.5, 4.5),
    'kind = "connect_error"\nlatency_s = 0.25': (2.75, 2.75),
    'kind = "read_timeout"': (602.5, 602.5),
    'kind = "reset"': (3.5, None),
    'kind = "truncated"': (3.5, None),
    'kind = "stalled"': (603.5, None),
    'kind = "slow_drip"\nlatency_s = 3': (5.5, 5.5),
    # The tool's half second is not met: its call was refused, and the model told so.
    'kind = "invalid_arguments"': (2.0, 2.0),
    'kind = "unknown_tool"': (2.0, 2.0),
    # What cannot be recovered from ends the session, cleanly.
    'kind = "malformed_json"': (None, None),
    'kind = "empty_answer"': (None, None),
}


@pytest.mark.parametrize(
    ("fault", "target", "strategy"),
    [
        (fault, target, STRATEGIES[(number + whole) % 2])
        for number, fault in enumerate(RECOVERED)
        for whole, target in enumerate(AGENTS)
    ],
)
def test_the_agent_recovers_from_a_fault_or_fails_cleanly(
    fault: str, target: str, strategy: str
) -> None:
    """The slow suite has each by either strategy."""
    check_recovers(fault, target, strategy)


def check_recovers(fault: str, target: str, strategy: str) -> None:
    scenario = parse_scenario(f"{HEAD}[[faults]]\n{fault}\n{FIRST}")

    _, result = measured(scenario, strategy, target)

    least_s = RECOVERED[fault][AGENTS.index(target)]
    met, took_s = session(result, 1)
    if least_s is None:
        assert met.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}
        assert met.error
        assert took_s <= 601
    else:
        assert (met.outcome, met.error) == (Outcome.SUCCEEDED, None)
        assert least_s <= took_s <= least_s + (0.5 if "slow" not in fault else 0)
        assert met.end_ns - met.start_ns >= result.ideal_latencies_ns[1]
    for other in (0, 2, 3):
        sample, took_s = session(result, other)
        assert (sample.outcome, took_s) == (Outcome.SUCCEEDED, 2.5)


MIXED = "".join(
    f'[[faults]]\nkind = "{kind}"\nprobability = 0.03\n{more}'
    for kind, more in {
        "status": "status = 503\n",
        "connect_error": "",
        "read_timeout": "",
        "reset": "",
        "truncated": "",
        "stalled": "",
        "malformed_json": "",
        "invalid_arguments": "",
        "unknown_tool": "",
        "empty_answer": "",
        "slow_drip": "latency_s = 1\n",
    }.items()
)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_session_is_lost_among_faults(strategy: str) -> None:
    scenario = replace(parse_scenario(HEAD + MIXED), sessions=40)

    cell, result = measured(scenario, strategy, concurrency=20)

    counts = cell_result(cell, [result]).sessions
    ended = counts.succeeded + counts.failed + counts.cancelled + counts.timed_out
    assert counts.started == ended == 40
    assert 0 < counts.failed < 20


def test_faults_are_the_same_in_each_run() -> None:
    scenario = replace(parse_scenario(HEAD + MIXED), sessions=20)

    first, second = (measured(scenario)[1] for _ in range(2))

    assert first.samples == second.samples
    assert len({sample.outcome for sample in first.samples}) > 1


FEW_AT_A_TIME = given(st.integers(1, 6), st.integers(1, 12))


@settings(max_examples=8, deadline=None)
@FEW_AT_A_TIME
def test_a_model_that_serves_few_at_a_time_is_the_bottleneck(served: int, sessions: int) -> None:
    """The slow suite tries more, here and below."""
    check_bottleneck(served, sessions)


def check_bottleneck(served: int, sessions: int) -> None:
    """Each session needs 2 s of a server: N of them, S served at once, take 2 N / S at least."""
    scenario = parse_scenario(f"{HEAD}[model.limits]\nconcurrency = {served}\n")

    _, result = measured(scenario, sessions=sessions)

    assert result.makespan_ns >= result.ideal_makespan_ns >= 2 * SECOND_NS * sessions // served
    if sessions <= served or (served == 1 and sessions > 1):
        # Alone, or with the tools hidden behind the other sessions' model calls.
        assert result.makespan_ns == result.ideal_makespan_ns


def test_a_rate_limit_makes_sessions_wait_as_long_as_it_says() -> None:
    """Six requests a minute and two sessions of two: all four within the first minute's worth."""
    text = f"{HEAD}[model.limits]\nrequests_per_minute = 6\n"

    _, few = measured(parse_scenario(text), sessions=3)
    _, many = measured(parse_scenario(text), sessions=4)

    assert few.makespan_ns == 2.5 * SECOND_NS
    # The seventh and eighth come 1.5 s in, when a quarter of a request has flowed in.
    latencies_s = sorted((s.end_ns - s.start_ns) / SECOND_NS for s in many.samples)
    assert latencies_s[0] == 2.5
    assert 10 <= latencies_s[-1] <= 30
    assert {sample.outcome for sample in many.samples} == {Outcome.SUCCEEDED}
    # Eight requests, six of which may come at once: two more take twenty seconds.
    assert many.ideal_makespan_ns == 20 * SECOND_NS <= many.makespan_ns


UNDER_LIMITS = given(
    st.integers(1, 40), st.integers(20, 2000), st.integers(1, 4), st.integers(1, 10)
)


@settings(max_examples=6, deadline=None)
@UNDER_LIMITS
def test_no_run_beats_the_ideal_under_limits(
    requests: int, tokens: int, served: int, sessions: int
) -> None:
    check_ideal(requests, tokens, served, sessions)


def check_ideal(requests: int, tokens: int, served: int, sessions: int) -> None:
    limits = f"requests_per_minute = {requests}\ntokens_per_minute = {tokens}\n"
    text = f"{HEAD}[model.limits]\n{limits}concurrency = {served}\n"

    cell, result = measured(parse_scenario(text), sessions=sessions)

    counts = cell_result(cell, [result]).sessions
    assert counts.succeeded + counts.failed == sessions
    if counts.succeeded == sessions:
        assert result.makespan_ns >= result.ideal_makespan_ns


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_streaming_target_takes_as_long_as_one_that_does_not_stream(strategy: str) -> None:
    _, whole = measured(load_scenario("research"), strategy, sessions=2)
    _, streamed = measured(load_scenario("research"), strategy, "agent-streaming", sessions=2)

    assert streamed.makespan_ns == whole.makespan_ns == whole.ideal_makespan_ns


REPLAY = """\
name = "replay"
description = "Two recorded sessions, one of which has another nested in it."
sessions = 2

[recording]
file = "replay.jsonl.gz"

[tools.work]
description = "What the agent did."
kind = "async"
latency_s = 0

[tools.agent]
description = "Another agent."
kind = "async"
latency_s = 0
"""


def call(latency_s: float, *tools: RecordedToolCall) -> RecordedCall:
    return RecordedCall(latency_s, 100, 20, tools, ttft_s=latency_s / 4)


def replay(folder: Path, *sessions: RecordedSession) -> Scenario:
    (folder / "replay.jsonl.gz").write_bytes(recording_bytes(sessions))
    (folder / "replay.toml").write_text(REPLAY)
    return load_scenario(str(folder / "replay.toml"))


@pytest.mark.parametrize(
    ("target", "strategy"),
    [("agent", "sync"), ("agent", "gather"), ("agent-streaming", "threads")],
)
def test_a_nested_agent_runs_its_own_session(tmp_path: Path, target: str, strategy: str) -> None:
    """3 + max(2, 1 + (4 + 5 + 6)) + 7 seconds, and 1 + 2 + 3."""
    nested = RecordedSession(0, (call(4, RecordedToolCall("work", 5)), call(6)))
    tools = (RecordedToolCall("work", 2), RecordedToolCall("agent", 1, nested))
    outer = RecordedSession(0, (call(3, *tools), call(7)))
    plain = RecordedSession(5, (call(1, RecordedToolCall("work", 2)), call(3)))

    _, result = measured(replay(tmp_path, outer, plain), strategy, target)

    latencies_s = [session(result, number)[1] for number in (0, 1)]
    assert latencies_s == [26, 6]
    assert [ns / SECOND_NS for ns in result.ideal_latencies_ns] == [26, 6]
    assert result.llm_calls == 6
    assert result.makespan_ns == (32 if strategy == "sync" else 26) * SECOND_NS


def test_more_sessions_than_were_recorded_begin_again_at_the_first(tmp_path: Path) -> None:
    scenario = replay(tmp_path, *(RecordedSession(0, (call(n),)) for n in (1, 2)))

    _, result = measured(scenario, sessions=5)

    assert [session(result, number)[1] for number in range(5)] == [1, 2, 1, 2, 1]
