"""Scripts: the same for ever, and each session for itself."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from operator import attrgetter
from pathlib import Path
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.scenario import (
    Scenario,
    Timing,
    builtin_scenarios,
    load_scenario,
    parse_scenario,
)
from warpbench.mocks.scenario.distributions import Constant, Lognormal, Uniform
from warpbench.mocks.workload.script import ToolCallScript, ToolKind, draw, draw_session

pytestmark = pytest.mark.once

# A property tries a hundred examples of one file.
loaded = cache(load_scenario)
seeds = st.integers(-(2**70), 2**70)
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def digest(scenario: Scenario, seed: int) -> str:
    """Of the numbers alone: a field that is added to the dataclasses changes no draw."""
    numbers = [
        (
            call.latency_ns,
            call.prompt_tokens,
            call.completion_tokens,
            [tool.latency_ns for tool in call.tool_calls],
        )
        for session in draw(scenario, seed).sessions
        for call in session.model_calls
    ]
    return hashlib.sha256(repr(numbers).encode()).hexdigest()


def test_a_constant_scenario_is_drawn_as_declared() -> None:
    script = draw(loaded("two-sleeps"), seed=0)
    assert [session.session for session in script.sessions] == [0, 1]
    for session in script.sessions:
        [call] = session.model_calls
        assert (call.latency_ns, call.tool_calls) == (1_000_000_000, ())
        assert (call.prompt_tokens, call.completion_tokens) == (20, 10)


def test_tool_calls_carry_what_the_scenario_says() -> None:
    first, last = draw_session(loaded("tools"), seed=0, session=0).model_calls
    assert [call.name for call in first.tool_calls] == ["search", "search", "weather", "lookup"]
    assert first.tool_calls[2] == ToolCallScript(
        "weather", '{"city":"Vienna","days":3}', ToolKind.ASYNC, 200_000_000
    )
    assert first.tool_calls[3].kind is ToolKind.BLOCKING
    assert last.tool_calls == ()


def test_rounds_repeat() -> None:
    session = draw_session(loaded("research"), seed=0, session=0)
    assert [len(call.tool_calls) for call in session.model_calls] == [3, 3, 3, 3, 3, 0]
    assert len({call.latency_ns for call in session.model_calls}) == 6, "each drawn for itself"


@pytest.mark.parametrize("name", builtin_scenarios())
def test_only_the_last_call_of_a_turn_is_final(name: str) -> None:
    scenario = load_scenario(name)
    turns = 1 + sum(part.begins_turn for part in scenario.rounds)
    for session in draw(scenario, seed=3).sessions:
        final = [not call.tool_calls for call in session.model_calls]
        assert final[-1]
        assert sum(final) == turns


@given(seeds, st.integers(0, 20), st.integers(0, 20))
def test_more_sessions_change_none(seed: int, few: int, more: int) -> None:
    scenario = loaded("research")
    short, long = draw(scenario, seed, few), draw(scenario, seed, few + more)
    assert long.sessions[:few] == short.sessions


@given(seeds, st.integers(-1000, 1000))
def test_a_session_is_the_same_alone(seed: int, session: int) -> None:
    scenario = loaded("cpu-tool")
    alone = draw_session(scenario, seed, session)
    assert alone.session == session
    if 0 <= session < scenario.sessions:
        assert draw(scenario, seed).sessions[session] == alone


@given(seeds)
def test_more_rounds_change_none_before(seed: int) -> None:
    scenario = loaded("research")
    tools, answer = scenario.rounds
    longer = replace(scenario, rounds=(tools, replace(tools, timing=Timing(Constant(1.0))), answer))
    short = draw_session(scenario, seed, 0).model_calls
    long = draw_session(longer, seed, 0).model_calls
    assert long[:5] == short[:5]


@given(seeds)
def test_more_tools_change_none_before(seed: int) -> None:
    scenario = loaded("research")
    tools, answer = scenario.rounds
    wider = replace(tools, tool_calls=(*tools.tool_calls, tools.tool_calls[0]))
    narrow_first = draw_session(scenario, seed, 0).model_calls[0]
    wide_first = draw_session(replace(scenario, rounds=(wider, answer)), seed, 0).model_calls[0]
    assert replace(wide_first, tool_calls=wide_first.tool_calls[:3]) == narrow_first


@given(seeds)
def test_another_distribution_shifts_no_other_draw(seed: int) -> None:
    scenario = loaded("research")
    tools, answer = scenario.rounds
    slower = replace(tools, timing=Timing(Lognormal.of_percentiles(median=5.0, p99=50.0)))
    calls = draw_session(scenario, seed, 0).model_calls
    slower_calls = draw_session(replace(scenario, rounds=(slower, answer)), seed, 0).model_calls
    assert [c.tool_calls for c in slower_calls] == [c.tool_calls for c in calls]
    assert all(s.latency_ns > c.latency_ns for s, c in zip(slower_calls[:5], calls, strict=False))


def test_seeds_sessions_and_names_all_count() -> None:
    scenario = loaded("research")
    drawn = [
        draw_session(scenario, 1, 0),
        draw_session(scenario, 2, 0),
        draw_session(scenario, 1, 1),
        draw_session(scenario, 1, -1),
        draw_session(replace(scenario, name="other"), 1, 0),
    ]
    assert len({session.model_calls[0].latency_ns for session in drawn}) == len(drawn)


@given(st.integers())
def test_latencies_are_whole_microseconds(seed: int) -> None:
    for call in draw_session(loaded("research"), seed, 0).model_calls:
        for latency_ns in [call.latency_ns, *(tool.latency_ns for tool in call.tool_calls)]:
            assert isinstance(latency_ns, int)
            assert latency_ns % 1_000 == 0


def test_counts_are_rounded_and_repeats_are_at_least_one() -> None:
    scenario = loaded("research")
    tools, answer = scenario.rounds
    rarely = replace(tools, repeat=Uniform(0.0, 1.0), prompt_tokens=Uniform(0.0, 2.0))
    for session in draw(replace(scenario, rounds=(rarely, answer)), seed=1).sessions:
        assert len(session.model_calls) == 2
        assert session.model_calls[0].prompt_tokens in {0, 1, 2}


def test_what_rarely_passes_a_bound_is_cut_there() -> None:
    scenario = loaded("research")
    tools, answer = scenario.rounds
    endless = replace(tools, repeat=Constant(1e12), timing=Timing(Constant(1e200)))
    session = draw_session(replace(scenario, rounds=(endless, answer)), 1, 0)
    assert len(session.model_calls) == 10_001
    assert session.model_calls[0].latency_ns == 10**18


@pytest.mark.parametrize(("sessions", "expected"), [(None, 60), (0, 0), (7, 7)])
def test_the_number_of_sessions(sessions: int | None, expected: int) -> None:
    assert len(draw(loaded("research"), 1, sessions).sessions) == expected


def test_a_negative_number_of_sessions_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 0 sessions, found -1"):
        draw(loaded("chat"), 1, -1)


PINNED = """
name = "pinned"
description = "One of each distribution, for the test below."
sessions = 20

[model]
latency_s = { lognormal = { median = 0.5, p99 = 2.0 } }
prompt_tokens = { gamma = { shape = 2, mean = 500 } }
completion_tokens = { normal = { mean = 80, sd = 40 } }

[tools.a]
description = "Waits."
kind = "async"
latency_s.mixture = [
    { weight = 9, constant = 0.1 },
    { weight = 1, uniform = { low = 1, high = 2 } },
]

[[rounds]]
tools = [{ tool = "a" }, { tool = "a" }]
repeat = { empirical = { p0 = 1, p50 = 3, p100 = 9 } }

[[rounds]]
"""

PINNED_DIGEST = "88f22b3364103bae21cfeece78efacd337dcb465d20823e4f460481a1f87eb46"


def test_a_script_is_the_same_on_every_machine_and_for_ever() -> None:
    """If this fails, every baseline that anybody keeps is void: do not just update it."""
    scenario = parse_scenario(PINNED)
    first = draw_session(scenario, 1, 0).model_calls[0]
    assert (first.latency_ns, first.prompt_tokens, first.completion_tokens) == (
        258_048_000,
        369,
        88,
    )
    assert digest(scenario, 1) == PINNED_DIGEST


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_a_script_does_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    names = ("research", "coding-agent", "tools")
    code = (
        "import hashlib\n"
        "from warpbench.mocks.scenario import load_scenario\n"
        "from warpbench.mocks.workload.script import draw\n"
        f"for name in {names}:\n"
        "    text = repr(draw(load_scenario(name), 7))\n"
        "    print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    scripts = [repr(draw(load_scenario(name), 7)) for name in names]
    assert done.stdout.split() == [hashlib.sha256(s.encode()).hexdigest() for s in scripts]


@pytest.fixture(scope="module")
def recorded_requests() -> list[dict[str, float]]:
    path = DATA / "coding_agent_traces.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the recording {path.name} is not beside this checkout")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [request for line in lines for request in json.loads(line)["requests"]]


@pytest.mark.parametrize(
    ("field", "attribute"),
    [("api_time", "timing.latency"), ("out", "completion_tokens"), ("in", "prompt_tokens")],
)
def test_the_quantiles_of_coding_agent_are_those_of_its_recording(
    recorded_requests: list[dict[str, float]], field: str, attribute: str
) -> None:
    """To 15 %: the recording at hand is every other session; nested agents are left out."""
    values = [request[field] for request in recorded_requests if request.get(field) is not None]
    recorded = quantiles(values, n=100)
    declared = attrgetter(attribute)(loaded("coding-agent").rounds[0])
    for percentile in (10, 25, 50, 75, 90, 95):
        expected = pytest.approx(recorded[percentile - 1], rel=0.15)
        assert declared.quantile(percentile / 100) == expected
