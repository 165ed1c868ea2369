"""The first line of a verdict names what a reviewer would: the cause, and its place."""

from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.gate.baseline import CellBaseline
from warpbench.bench.gate.judging import judge
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.verdict import CellVerdict, Change, ChangeKind, NoteKind, Verdict
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.scenario import load_scenario

from .owner_agent import ANSWER, NO_LIMIT, TOOLS_AT_ONCE, TOOLS_IN_TURN
from .test_faults import measured, spec_of

pytestmark = pytest.mark.once

SESSIONS = 8
SPEC = replace(spec_of(SESSIONS, SESSIONS), counts_calls=True)
FLAKY = """
name = "flaky"
description = "Some calls of the model fail at first."
sessions = 8
concurrency = [8]

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


def baseline(folder: Path, *changes: str, spec: TrialSpec = SPEC) -> CellBaseline:
    good = measured(spec, folder, *changes)
    return CellBaseline(cell=spec.cell, structure=good.structure, work=good.work)


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> CellBaseline:
    return baseline(tmp_path_factory.mktemp("good"))


def judged(before: CellBaseline, folder: Path, *changes: str, **gate: object) -> CellVerdict:
    found = measured(SPEC, folder, *changes)
    return judge("cell", before, found, Tolerances(**gate))  # type: ignore[arg-type]


def first_of(verdict: CellVerdict) -> Change:
    assert verdict.verdict is Verdict.REGRESSED
    return verdict.changes[0]


def own_places(change: Change) -> dict[str, float]:
    return {each.name: each.per_session for each in change.callers if each.is_own_code}


def test_a_retry_storm_is_one_though_more_sessions_succeed(tmp_path: Path) -> None:
    file = tmp_path / "flaky.toml"
    file.write_text(FLAKY)
    spec = replace(SPEC, scenario=load_scenario(str(file)))
    before = baseline(tmp_path, *NO_RETRIES, spec=spec)
    after = measured(spec, tmp_path, *NO_RETRIES, WITHOUT_ATTEMPTS, ATTEMPTS)
    assert before.structure.succeeded < after.structure.succeeded == SESSIONS

    verdict = judge("cell", before, after, Tolerances())

    first = first_of(verdict)
    assert (first.kind, first.before) == (ChangeKind.RETRIED_MODEL_CALLS, 0)
    assert next(iter(own_places(first))).startswith(f"{MODULE}ask → openai/")
    better = [change.kind for change in verdict.changes if not change.is_worse]
    assert better == [ChangeKind.SESSIONS_SUCCEEDED]


def test_an_await_in_a_loop_is_told_with_the_function_that_awaits(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, tmp_path, *AWAIT_IN_A_LOOP))

    assert (first.kind, first.name) == (ChangeKind.WORK, "loop_iterations"), first
    # Four tools, with an await behind each: it is entered, and goes on after it.
    assert own_places(first)[f"{MODULE}session → asyncio/tasks.py:sleep"] == 2 * 4


def test_an_await_that_takes_time_is_told_with_the_function_that_awaits(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, tmp_path, *SLEEPS_IN_A_LOOP))

    assert first.kind is ChangeKind.MAKESPAN
    assert f"{MODULE}session → asyncio/tasks.py:sleep" in own_places(first)


def test_a_bloated_schema_is_told_as_the_tool_that_has_it(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, tmp_path, *BLOATED_SCHEMA))

    assert first.kind is ChangeKind.REQUEST_BYTES
    assert [part.name for part in first.parts] == ["tools.search"]
    # 200 properties, in two requests a session.
    sizes = [len(f'"option_{number}":{{"type":"string"}},') for number in range(200)]
    assert first.parts[0].per_session == 2 * sum(sizes)


def test_tools_in_turn_are_told_with_the_function_that_awaits_them(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, tmp_path, TOOLS_AT_ONCE, TOOLS_IN_TURN))

    assert first.kind is ChangeKind.OVERLAP
    assert any(place.endswith(f" → {MODULE}call") for place in own_places(first))


def test_a_limit_that_is_lost_is_told_with_what_is_no_longer_called(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    first = first_of(judged(as_it_was, tmp_path, *NO_LIMIT))

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
    before = baseline(tmp_path, *streams)
    verdict = judge("cell", before, measured(SPEC, tmp_path, *whole), Tolerances())

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


def test_a_system_prompt_a_hundred_times_longer_is_a_regression(tmp_path: Path) -> None:
    before = baseline(tmp_path, *system_prompt(50))

    verdict = judged(before, tmp_path, *system_prompt(5_000))

    first = first_of(verdict)
    assert first.kind is ChangeKind.REQUEST_BYTES
    assert [(part.name, part.per_session) for part in first.parts] == [
        ("messages.system", 2 * 4_950)
    ]


def test_a_prompt_that_grows_a_little_is_a_note(tmp_path: Path) -> None:
    before = baseline(tmp_path, *system_prompt(50))

    verdict = judged(before, tmp_path, *system_prompt(60))

    assert verdict.verdict is Verdict.PASSED
    (note,) = verdict.notes
    assert (note.kind, note.change.kind) == (NoteKind.WITHIN_TOLERANCE, ChangeKind.REQUEST_BYTES)
    assert [(part.name, part.per_session) for part in note.change.parts] == [
        ("messages.system", 2 * 10)
    ]


@pytest.mark.parametrize("calls", [2, 16])
def test_a_few_calls_of_own_code_are_a_note_with_the_functions(
    calls: int, tmp_path: Path, as_it_was: CellBaseline
) -> None:
    more = f"[task.strip() for _ in range({calls})]; {ANSWER}"

    verdict = judged(as_it_was, tmp_path, ANSWER, more)

    assert verdict.verdict is Verdict.PASSED
    (note,) = (note for note in verdict.notes if note.kind is NoteKind.OWN_CALLS)
    assert (note.change.name, note.change.is_worse) == ("owner_agent", True)
    ((place, most),) = [
        item for item in own_places(note.change).items() if item[0].endswith(" → str.strip")
    ]
    assert place.startswith(MODULE)
    assert most == calls


@pytest.mark.parametrize("own_calls", [0.0, {"owner_agent": 0.0}])
def test_calls_of_own_code_are_judged_exactly_if_that_is_asked_for(
    own_calls: object, tmp_path: Path, as_it_was: CellBaseline
) -> None:
    more = f"task.strip(); task.strip(); {ANSWER}"

    verdict = judged(as_it_was, tmp_path, ANSWER, more, own_calls=own_calls)

    first = first_of(verdict)
    assert (first.kind, first.name) == (ChangeKind.OWN_CALLS, "owner_agent")
    assert (first.after - first.before) / SESSIONS == 2
    assert own_places(first) == {f"{MODULE}session → str.strip": 2}
    assert judged(as_it_was, tmp_path, own_calls=own_calls).verdict is Verdict.PASSED


def test_calls_of_another_package_are_judged_by_none_of_them(
    tmp_path: Path, as_it_was: CellBaseline
) -> None:
    more = f"task.strip(); task.strip(); {ANSWER}"

    verdict = judged(as_it_was, tmp_path, ANSWER, more, own_calls={"another": 0.0})

    assert verdict.verdict is Verdict.PASSED
