"""The gate: what a change did is caught, named, and told apart from what cannot be judged."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ...conftest import Warpbench, run_warpbench_here

# An agent as its owner writes it; each fault is one line of it, changed.
AGENT = """
import asyncio, copy, itertools, json, time
from openai import AsyncOpenAI

def build(lab):
    client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)
    limit = asyncio.Semaphore(5)
    numbers = itertools.count()
    kept = []
    functions = {tool.name: tool for tool in lab.tools}
    schemas = [
        {"type": "function", "function": {"name": t.name, "parameters": dict(t.parameters)}}
        for t in lab.tools
    ]

    async def ask(messages):
        async with limit:
            return await client.chat.completions.create(
                model=lab.model, messages=messages, tools=schemas
            )

    async def call(asked):
        tool = functions[asked.function.name]
        arguments = json.loads(asked.function.arguments)
        if tool.kind == "async":
            return await tool.function(**arguments)
        return await asyncio.to_thread(tool.sync_function, **arguments)

    async def session(task):
        number = next(numbers)
        messages = [{"role": "user", "content": task}]
        while True:
            answer = (await ask(messages)).choices[0].message
            if not answer.tool_calls:
                return answer.content or ""
            messages.append(answer)
            results = await asyncio.gather(*map(call, answer.tool_calls))
            for asked, result in zip(answer.tool_calls, results):
                messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})

    return session
"""
FAULTS = {
    "tools serialised": (
        "results = await asyncio.gather(*map(call, answer.tool_calls))",
        "results = [await call(asked) for asked in answer.tool_calls]",
        ["the 4 tool calls of round 1 no longer overlap"],
    ),
    "one more model call in 1 of 20 sessions": (
        "answer = (await ask(messages)).choices[0].message",
        "if number == 9 and len(messages) == 1: await ask(messages)\n"
        "            answer = (await ask(messages)).choices[0].message",
        ["+1 model call in 20 sessions (40 → 41)", "1 model call repeated, before 0"],
    ),
    "a sync call in a coroutine": (
        "messages.append(answer)",
        "messages.append(answer); time.sleep(0.05)",
        [
            "`owner_agent.py:build.<locals>.session` blocks the event loop: 20 times, 1.000 s",
            "makespan",
        ],
    ),
    "context copied twice": (
        "answer = (await ask(messages)).choices[0].message",
        "answer = (await ask(copy.deepcopy(messages))).choices[0].message",
        [
            "Python calls per session",
            "`owner_agent.py:build.<locals>.session → copy.py:deepcopy` (+2)",
        ],
    ),
    "one in a hundred calls more": (
        "return answer.content or",
        "[name.partition('x') for name in map(str, range(120))]; return answer.content or",
        ["C calls per session", "str.partition` (+120)"],
    ),
    "a lost semaphore": (
        "async with limit:",
        "if True:",
        ["up to 10 model calls at once, before 5: is a limit lost?"],
    ),
}


def write_agent(folder: Path, *changes: str) -> None:
    """Write the agent, with parts of its text changed: before, after, before, after, …"""
    text = AGENT
    for before, after in zip(changes[::2], changes[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    (folder / "owner_agent.py").write_text(text)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline of the good agent, made once for all tests."""
    folder = tmp_path_factory.mktemp("baseline")
    write_agent(folder)
    made = run_warpbench_here(folder, *BASELINE)
    assert made.status == 0, made.err
    return folder / "warpbench-baseline.json"


BASELINE = (
    *("baseline", "tools", "--target", "owner_agent:build", "--concurrency", "10"),
    *("--sessions", "20", "--tool-workers", "40"),
)


def begin(folder: Path, baseline: Path) -> None:
    write_agent(folder)
    shutil.copy(baseline, folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_and_named(
    fault: str, warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    before, after, words = FAULTS[fault]
    write_agent(tmp_path, before, after)
    judged = warpbench("gate")
    assert judged.status == 1, judged.out + judged.err
    for word in words:
        assert word in judged.out
    assert "regressed: 1 of 1 cell" in judged.out


@pytest.mark.once
def test_a_good_commit_holds_and_a_better_one_is_told(warpbench: Warpbench, tmp_path: Path) -> None:
    no_limit = ("Semaphore(5)", "Semaphore(100)")
    write_agent(tmp_path, *no_limit, *FAULTS["tools serialised"][:2])
    assert warpbench(*BASELINE).status == 0
    for hash_seed in ("1", "4242"):
        held = warpbench("gate", PYTHONHASHSEED=hash_seed)
        assert held.status == 0, held.out
        assert "passed: 1 cell, exactly as in the baseline" in held.out

    write_agent(tmp_path, *no_limit)
    better = warpbench(
        "gate", "--junit", "gate.xml", "--summary", "summary.md", "--json", GITHUB_STEP_SUMMARY=""
    )
    assert better.status == 0, better.out
    document = json.loads(better.out)
    assert document["verdict"] == "improved"
    texts = [change["text"] for change in document["cells"][0]["changes"]]
    assert any(text.startswith("the 4 tool calls of round 1 overlap now") for text in texts)
    assert "improved: 1 of 1 cell" in (tmp_path / "summary.md").read_text()
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")


@pytest.mark.once
def test_the_summary_is_appended_also_where_ci_wants_it(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    write_agent(tmp_path, *FAULTS["a lost semaphore"][:2])
    (tmp_path / "step.md").write_text("before\n")
    judged = warpbench("gate", "--junit", "gate.xml", GITHUB_STEP_SUMMARY="step.md")
    assert judged.status == 1
    summary = (tmp_path / "step.md").read_text()
    assert summary.startswith("before\n### warpbench: regressed: 1 of 1 cell")
    assert "worse: up to 10 model calls at once" in summary
    failure = ElementTree.parse(tmp_path / "gate.xml").getroot().find("testcase/failure")
    assert failure is not None
    assert failure.get("message")
    assert "is a limit lost?" in str(failure.text)


@pytest.mark.once
def test_a_target_that_has_gone_or_crashes_cannot_be_judged(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    write_agent(tmp_path, "def build(lab):", "def build(lab):\n    raise RuntimeError('no luck')")
    judged = warpbench("gate")
    assert judged.status == 2
    (tmp_path / "owner_agent.py").unlink()
    gone = warpbench("gate")
    assert gone.status == 2
    assert len(gone.err.splitlines()) == 1


@pytest.mark.once
def test_another_workload_cannot_be_judged(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    file = tmp_path / "warpbench-baseline.json"
    file.write_text(
        file.read_text()
        .replace('"seed": 1', '"seed": 2')
        .replace('"scenario": "tools"', '"scenario": "research"')
    )
    judged = warpbench("gate")
    assert judged.status == 2
    assert "write a new baseline" in judged.out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ('{"schema_version": 1}', "schema_version: found 1, this warpbench reads 2"),
        ('{"schema_version": 3, "python": "3", "packages": {}, "cells": {}}', "has no cells"),
        ('{"schema_version": 3, "python": "3", "packages": {}, "cells": {"a": {}}}', "cells.a"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_one_line_and_status_2(
    content: str | None, complaint: str, warpbench: Warpbench, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "warpbench-baseline.json").write_text(content)
    judged = warpbench("gate")
    assert judged.status == 2
    (line,) = judged.err.splitlines()
    assert complaint in line
    assert "warpbench baseline" in line or "write it again" in line


def test_an_unknown_cell_is_named_with_those_there_are(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    judged = warpbench("gate", "--cell", "tools/owner_agent:build/gathr/asyncio@10")
    assert judged.status == 2
    assert "did you mean 'tools/owner_agent:build/gather/asyncio@10'?" in judged.err


@pytest.mark.once
def test_no_baseline_is_made_of_what_does_not_work(warpbench: Warpbench, tmp_path: Path) -> None:
    write_agent(tmp_path, "def build(lab):", "def build(lab):\n    raise RuntimeError('no luck')")
    made = warpbench("baseline", "tools", "--target", "owner_agent:build", "--concurrency", "10")
    assert made.status == 2
    assert not (tmp_path / "warpbench-baseline.json").exists()


def test_another_version_is_named_and_calls_are_then_not_compared(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    file = tmp_path / "warpbench-baseline.json"
    document = json.loads(file.read_text())
    installed, document["packages"]["openai"] = document["packages"]["openai"], "3.0.0"
    file.write_text(json.dumps(document))
    write_agent(tmp_path, *FAULTS["context copied twice"][:2])
    held = warpbench("gate", "--summary", "summary.md")
    assert held.status == 0, held.out
    assert f"not as in the baseline: openai 3.0.0 → {installed}" in held.out
    assert "calls, tasks and loop iterations were not compared" in held.out
    assert "Not as in the baseline: openai" in (tmp_path / "summary.md").read_text()


def test_one_tier_can_be_asked_for(warpbench: Warpbench, tmp_path: Path, baseline: Path) -> None:
    begin(tmp_path, baseline)
    write_agent(tmp_path, *FAULTS["context copied twice"][:2])
    assert warpbench("gate", "--tier", "structure").status == 0
    assert warpbench("gate", "--tier", "work").status == 1


@pytest.mark.parametrize("after_s", [0.0, 2.0], ids=["its server starts", "trials are under way"])
def test_ctrl_c_ends_a_measurement_and_leaves_no_trial_and_no_file(
    after_s: float, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).parent / "warpbench"), "baseline", "coding-agent"]
    process = subprocess.Popen(
        [*command, "--concurrency", "50", "--sessions", "400"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text():  # it still imports
            time.sleep(0.05)
        time.sleep(after_s)  # the trials take a minute
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_memory_that_sessions_leave_behind_is_noted(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    keep = "[kept.append([number]) for number in range(100)]; return answer.content or"
    write_agent(tmp_path, "return answer.content or", keep)
    held = warpbench("gate", "--tier", "structure,work")
    assert "kept memory blocks per session" in held.out
    assert "does a session leave something behind?" in held.out
