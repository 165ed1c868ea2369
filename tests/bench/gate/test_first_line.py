"""The first line of a verdict names what a reviewer would: the cause, and its place."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.gate.baseline import CellBaseline
from warpbench.bench.gate.judging import judge
from warpbench.bench.gate.measuring import Measured
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.verdict import CellVerdict, Change, ChangeKind, NoteKind, Verdict
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.scenario import load_scenario

from .owner_agent import ANSWER, NO_LIMIT, TOOLS_AT_ONCE, TOOLS_IN_TURN
from .test_faults import measured, spec_of

pytestmark = pytest.mark.once

# One more than the agent lets in: to count calls takes several times the CPU.
SESSIONS = 3
TWO_AT_ONCE = ("Semaphore(5)", "Semaphore(2)")
SPEC = replace(spec_of(SESSIONS, SESSIONS), counts_calls=True)
FLAKY = """
name = "flaky"
description = "Some calls of the model fail at first."
sessions = 3
concurrency = [3]

[model]
latency_s = 0.5
prompt_tokens = 500
completion_tokens = 80

[[rounds]]

[[faults]]
kind = "status"
status = 503
probability = 0.3
"""
SHORT = """
name = "short"
description = "Answers of a few words."
sessions = 3
concurrency = [3]

[model]
latency_s = 0.5
completion_tokens = 8

[[rounds]]
"""

MODULE = "owner_agent.py:build.<locals>."
SYSTEM = '[{"role": "user", "content": task}]'
NO_RETRIES = ("base_url=lab.base_url)", "base_url=lab.base_url, max_retries=0)")
WITHOUT_ATTEMPTS = "return await client.chat"
ATTEMPTS = """for _ in range(20):
                try:
                    return await client.chat.completions.create(
                        model=lab.model, messages=messages, tools=schemas
                    )
                except Exception: pass
            return await client.chat"""
AWAIT_IN_A_LOOP = (
    "for asked, result in zip(answer.tool_calls, results):",
    "for asked, result in zip(answer.tool_calls, results):\n                await asyncio.sleep(0)",
)
BLOATED_SCHEMA = (
    "for t in lab.tools\n    ]",
    """for t in lab.tools
    ]
    schemas[0]["function"]["parameters"]["properties"] |= {
        f"option_{number}": {"type": "string"} for number in range(200)
    }""",
)
SLEEPS_IN_A_LOOP = (AWAIT_IN_A_LOOP[0], AWAIT_IN_A_LOOP[1].replace("sleep(0)", "sleep(0.1)"))


def system_prompt(length: int) -> tuple[str, str]:
    prompt = {"role": "system", "content": "x" * length}
    return SYSTEM, f'[{prompt!r}, {{"role": "user", "content": task}}]'


def agent(folder: Path, *changes: str, spec: TrialSpec = SPEC) -> Measured:
    """Measure the agent that lets two sessions in at once, with parts of its text changed."""
    return measured(spec, folder, *TWO_AT_ONCE, *changes)


def spec_in(folder: Path, scenario: str) -> TrialSpec:
    file = folder / "scenario.toml"
    file.write_text(scenario)
    return replace(SPEC, scenario=load_scenario(str(file)))


def as_baseline(good: Measured, spec: TrialSpec = SPEC) -> CellBaseline:
    return CellBaseline(cell=spec.cell, structure=good.structure, work=good.work)


@pytest.fixture(scope="module", autouse=True)
def _caches_are_full(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first trial of a process fills what others find full, and so keeps more memory."""
    agent(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> CellBaseline:
    return as_baseline(agent(tmp_path_factory.mktemp("good")))


@pytest.fixture(scope="module")
def with_a_prompt(tmp_path_factory: pytest.TempPathFactory) -> CellBaseline:
    """The agent with a system prompt of fifty characters."""
    return as_baseline(agent(tmp_path_factory.mktemp("prompt"), *system_prompt(50)))


@pytest.fixture(scope="module")
def with_two_calls_more(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The agent with two more calls of its own code in a session."""
    return agent(tmp_path_factory.mktemp("two-more"), ANSWER, more_calls(2))


def more_calls(count: int) -> str:
    return "task.strip(); " * count + ANSWER


def judged(before: CellBaseline, found: Measured, **gate: object) -> CellVerdict:
    return judge("cell", before, found, Tolerances(**gate))  # type: ignore[arg-type]


def first_of(verdict: CellVerdict) -> Change:
    assert verdict.verdict is Verdict.REGRESSED
    return verdict.changes[0]


def own_places(change: Change) -> dict[str, float]:
    return {each.name: each.per_session for each in change.callers if each.is_own_code}


def test_a_retry_storm_is_one_though_more_sessions_succeed(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, FLAKY)
    before = as_baseline(agent(tmp_path, *NO_RETRIES, spec=spec), spec)
    after = agent(tmp_path, *NO_RETRIES, WITHOUT_ATTEMPTS, ATTEMPTS, spec=spec)
    assert before.structure.succeeded < after.structure.succeeded == SESSIONS

    verdict = judged(before, after)

    first = first_of(verdict)
    assert (first.kind, first.before) == (ChangeKind.RETRIED_MODEL_CALLS, 0)
    assert next(iter(own_places(first))).startswith(f"{MODULE}ask → openai/")
    better = [change.kind for change in verdict.changes if not change.is_worse]
    assert better == [ChangeKind.SESSIONS_SUCCEEDED]


def test_an_await_in_a_loop_is_told_with_the_function_that_awaits(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    # It takes 0.4 % more calls, too: next to nothing short of what is one change more.
    found = agent(tmp_path, *AWAIT_IN_A_LOOP)
    first = first_of(judged(as_it_was, found, python_calls=0.01, c_calls=0.01))

    differ = [Counter(found.work.c.calls), Counter(found.work.python.calls)]
    differ[0].subtract(as_it_was.work.c.calls)
    differ[1].subtract(as_it_was.work.python.calls)
    assert (first.kind, first.name) == (ChangeKind.WORK, "loop_iterations"), f"{first} {differ}"
    # Four tools, with an await behind each: it is entered, and goes on after it.
    assert own_places(first)[f"{MODULE}session → asyncio/tasks.py:sleep"] == 2 * 4


def test_an_await_that_takes_time_is_told_with_the_function_that_awaits(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, agent(tmp_path, *SLEEPS_IN_A_LOOP)))

    assert first.kind is ChangeKind.MAKESPAN
    assert f"{MODULE}session → asyncio/tasks.py:sleep" in own_places(first)


def test_a_bloated_schema_is_told_as_the_tool_that_has_it(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, agent(tmp_path, *BLOATED_SCHEMA)))

    assert first.kind is ChangeKind.REQUEST_BYTES
    assert [part.name for part in first.parts] == ["tools.search"]
    # 200 properties, in two requests a session.
    sizes = [len(f'"option_{number}":{{"type":"string"}},') for number in range(200)]
    assert first.parts[0].per_session == 2 * sum(sizes)


def test_tools_in_turn_are_told_with_the_function_that_awaits_them(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, agent(tmp_path, TOOLS_AT_ONCE, TOOLS_IN_TURN)))

    assert first.kind is ChangeKind.OVERLAP
    assert any(place.endswith(f" → {MODULE}call") for place in own_places(first))


def test_a_limit_that_is_lost_is_told_with_what_is_no_longer_called(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, agent(tmp_path, *NO_LIMIT)))

    assert first.kind is ChangeKind.PEAK_IN_FLIGHT
    gone = {place: calls for place, calls in own_places(first).items() if calls < 0}
    assert any("asyncio/locks.py" in place for place in gone)


def test_to_lose_streaming_is_a_regression_though_it_takes_fewer_calls(tmp_path: Path) -> None:
    """An agent that asks for its answer in pieces and shows them as they come."""
    streams = (
        "return answer.content",
        """stream = await client.chat.completions.create(
                    model=lab.model, messages=messages, tools=schemas, stream=True
                )
                async for _ in stream: pass
                return answer.content""",
    )
    whole = (
        streams[0],
        """await client.chat.completions.create(
                    model=lab.model, messages=messages, tools=schemas
                )
                return answer.content""",
    )
    spec = spec_in(tmp_path, SHORT)
    # Beside it, the bytes by which a stream is asked for are few.
    prompt = system_prompt(2_000)
    before = as_baseline(agent(tmp_path, *prompt, *streams, spec=spec), spec)
    verdict = judged(before, agent(tmp_path, *prompt, *whole, spec=spec))

    first = first_of(verdict)
    assert (first.kind, first.before, first.after) == (
        ChangeKind.STREAMED_MODEL_CALLS,
        SESSIONS,
        0,
    )
    assert any("aiter" in place or "anext" in place for place in own_places(first))
    assert {change.kind for change in verdict.changes[1:] if not change.is_worse} == {
        ChangeKind.WORK
    }


def test_a_system_prompt_a_hundred_times_longer_is_a_regression(
    tmp_path: Path, with_a_prompt: CellBaseline
) -> None:
    verdict = judged(with_a_prompt, agent(tmp_path, *system_prompt(5_000)))

    first = first_of(verdict)
    assert first.kind is ChangeKind.REQUEST_BYTES
    assert [(part.name, part.per_session) for part in first.parts] == [
        ("messages.system", 2 * 4_950)
    ]


def test_a_prompt_that_grows_a_little_is_a_note(
    tmp_path: Path, with_a_prompt: CellBaseline
) -> None:
    verdict = judged(with_a_prompt, agent(tmp_path, *system_prompt(60)))

    assert verdict.verdict is Verdict.PASSED
    (note,) = verdict.notes
    assert (note.kind, note.change.kind) == (NoteKind.WITHIN_TOLERANCE, ChangeKind.REQUEST_BYTES)
    assert [(part.name, part.per_session) for part in note.change.parts] == [
        ("messages.system", 2 * 10)
    ]


def test_a_few_calls_of_own_code_are_a_note_with_the_functions(
    tmp_path: Path, as_it_was: CellBaseline, with_two_calls_more: Measured
) -> None:
    sixteen = agent(tmp_path, ANSWER, more_calls(16))

    for calls, found in ((2, with_two_calls_more), (16, sixteen)):
        verdict = judged(as_it_was, found)

        assert verdict.verdict is Verdict.PASSED
        (note,) = (note for note in verdict.notes if note.kind is NoteKind.OWN_CALLS)
        assert (note.change.name, note.change.is_worse) == ("owner_agent", True)
        assert own_places(note.change) == {f"{MODULE}session → str.strip": calls}


@pytest.mark.parametrize("own_calls", [0.0, {"owner_agent": 0.0}])
def test_calls_of_own_code_are_judged_exactly_if_that_is_asked_for(
    own_calls: object, as_it_was: CellBaseline, with_two_calls_more: Measured
) -> None:
    first = first_of(judged(as_it_was, with_two_calls_more, own_calls=own_calls))

    assert (first.kind, first.name) == (ChangeKind.OWN_CALLS, "owner_agent")
    assert (first.after - first.before) / SESSIONS == 2
    assert own_places(first) == {f"{MODULE}session → str.strip": 2}


def test_what_is_measured_again_has_not_one_call_more(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    assert judged(as_it_was, agent(tmp_path), own_calls=0.0).verdict is Verdict.PASSED


def test_calls_of_another_package_are_judged_by_none_of_them(
    as_it_was: CellBaseline, with_two_calls_more: Measured
) -> None:
    verdict = judged(as_it_was, with_two_calls_more, own_calls={"another": 0.0})

    assert verdict.verdict is Verdict.PASSED
