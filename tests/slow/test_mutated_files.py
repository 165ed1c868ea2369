"""Whatever a file holds, the command that reads it ends well, or with one line and status 2.

Valid files of each kind are damaged, from a seed, and given to ``main()`` in this process. The
number of files is set by ``WARPBENCH_MUTATED_FILES``, and by ``WARPBENCH_MUTATED_FIRST`` from which
one on, so that many can be read in pieces; a file that breaks something is named by
its kind and number, which make it again.
"""

import gzip
import json
import os
import random
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.cli import run as run_command
from warpbench.mocks.errors import TrialError
from warpbench.mocks.printable import LONGEST_LINE

from ..conftest import Finished, run_warpbench_here
from ..mutations import mutated

FILES = int(os.environ.get("WARPBENCH_MUTATED_FILES", "1000"))
FIRST = int(os.environ.get("WARPBENCH_MUTATED_FIRST", "0"))
SEED = 20
LONGEST_S = 20.0
RUN = (
    *("run", "chat", "--strategy", "gather,threads", "--loop", "asyncio", "--concurrency", "2"),
    *("--sessions", "3", "--trials", "1", "--clock", "virtual"),
)
REPORTS_EVERY = 25
"""A page with charts takes a second: only some damaged runs are made one of."""

RECORDED = """name = "replay"
description = "Replays."
sessions = 2
concurrency = [2]

[recording]
file = "recording.jsonl.gz"

[tools.work]
description = "What the agent did."
kind = "async"
latency_s = 0

[tools.agent]
description = "Another agent."
kind = "async"
latency_s = 0
"""
SCENARIO = """name = "mine"
description = "All that a scenario may hold."
sessions = 20
concurrency = [1, 10]

[model]
latency_s = { lognormal = { median = 2.0, p99 = 8.0 } }
ttft_s = 0.2
prompt_tokens = 100
completion_tokens = { empirical = { p50 = 20, p99 = 80 } }

[tools.search]
description = "Searches."
kind = "async"
latency_s = { uniform = { low = 0.1, high = 0.2 } }

[[rounds]]
tools = [{ tool = "search" }, { tool = "search" }]
repeat = 2

[[rounds]]
"""
CONFIGURATION = """[project]
name = "mine"
dependencies = ["httpx"]

[tool.warpbench]
baseline = "none.json"
cells = ["chat/agent/gather/asyncio@2"]
sessions = 20
seed = 1
tool-workers = "load"
budget-s = 120
slo = "max=5s"
time-cells = ["chat/agent/gather/asyncio@2"]
environment = ["httpx"]

[tool.warpbench.tolerances]
python-calls = 0.02
"""


def _request(**more: Any) -> dict[str, Any]:
    return {"t": 0, "type": "s", "in": 10, "out": 2, "api_time": 1.5, "think_time": 0.5, **more}


def _span(identifier: str, parent: str, begin: int, end: int, **attributes: Any) -> dict[str, Any]:
    return {
        "traceId": "t1",
        "spanId": identifier,
        "parentSpanId": parent,
        "name": identifier,
        "startTimeUnixNano": str(10**18 + begin * 10**9),
        "endTimeUnixNano": str(10**18 + end * 10**9),
        "attributes": [
            {"key": key, "value": {"intValue": str(value)}}
            if isinstance(value, int)
            else {"key": key, "value": {"stringValue": value}}
            for key, value in attributes.items()
        ],
    }


SPANS = [
    _span("a", "", 0, 9, **{"gen_ai.operation.name": "invoke_agent"}),
    _span("b", "a", 0, 2, **{"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 9}),
    _span("c", "a", 2, 3, **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}),
    _span("d", "a", 3, 5, **{"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 9}),
]
CALL = {"latency_s": 1.0, "prompt_tokens": 10, "completion_tokens": 3}
SESSION = {
    "start_s": 0.0,
    "calls": [
        {
            **CALL,
            "tools": [
                {"tool": "work", "latency_s": 0.2},
                {"tool": "agent", "latency_s": 0.0, "session": {"start_s": 0.0, "calls": [CALL]}},
            ],
        },
        CALL,
    ],
}


class NoProcesses:
    """Starts no trial: all that is asked for has been run, or is refused."""

    def __init__(self, _time_limit_s: float, **_options: object) -> None:
        pass

    def start(self) -> None:
        pass

    def check_target(self, name: str, spec: object = None) -> None:
        pass

    def run(self, spec: object, then: object = None) -> object:
        raise TrialError("crashed: it is not to run")

    def kill(self) -> None:
        pass


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        file: Where it lies.
        content: What a valid one holds.
        commands: What reads it; each file is given to one of them.
        is_packed: Whether it is gzipped.
    """

    file: str
    content: bytes
    commands: tuple[tuple[str, ...], ...]
    is_packed: bool = False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated")


@pytest.fixture(scope="module")
def taken_port() -> Iterator[str]:
    """Yield a port that is taken: who serves reads the scenario, and cannot listen."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@pytest.fixture(scope="module")
def kinds(folder: Path, taken_port: str) -> dict[str, Kind]:
    """Return a valid file of each kind; those of runs are made by one."""
    ran = run_warpbench_here(folder, *RUN, "--out", "ran")
    assert ran.status == 0, ran.err
    made = run_warpbench_here(
        folder, "baseline", "two-sleeps", "--concurrency", "1", "--sessions", "2", "--out", "b.json"
    )
    assert made.status == 0, made.err
    (folder / "good.json").write_bytes((folder / "ran/run.json").read_bytes())
    (folder / "recorded.toml").write_text(RECORDED)
    (trial, *_) = sorted((folder / "ran/trials").glob("chat-*.json"))
    lines = "".join(json.dumps(line) + "\n" for line in (SESSION, SESSION))
    serve = ("serve", "{}", "--port", taken_port)
    imports = ("import", "trace", "{}", "--out", "made.toml")
    traces = (imports, (*imports, "--fit"), (*imports, "--subagents", "parallel"))
    exports = tuple(
        ("export", name, "{}")
        for name in ("csv", "pyperf", "bencher", "pytest-benchmark", "github-smaller")
    )
    runs = (*exports, ("compare", "good.json", "{}"), ("compare", "{}", "{}"))
    requests = [_request(), {"type": "subagent", "t": 1, "requests": [_request()]}, _request()]
    coding = json.dumps({"id": "x", "requests": requests}) + "\n"
    otlp = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": SPANS}]}]})
    azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
        f"2023-11-16 18:15:{second:02}.6805900,{second * 10},{second}\n" for second in range(10, 20)
    )
    resumed = (*RUN, "--resume", "ran")
    return {
        "scenario": Kind("mine.toml", SCENARIO.encode(), (serve,)),
        "recording": Kind(
            "recording.jsonl.gz",
            b'{"warpbench_recording":1}\n' + lines.encode(),
            (("serve", "recorded.toml", "--port", taken_port),),
            is_packed=True,
        ),
        "coding-agent": Kind("trace.jsonl", (coding * 2).encode(), traces),
        "packed": Kind("trace.jsonl.gz", (coding * 2).encode(), traces, is_packed=True),
        "azure": Kind("trace.csv", azure.encode(), traces),
        "opentelemetry": Kind("spans.json", otlp.encode(), traces),
        "spans": Kind("spans.jsonl", (otlp + "\n").encode() * 2, traces),
        "run": Kind("bad.json", (folder / "good.json").read_bytes(), runs),
        "history": Kind(
            "kept/bad.json", (folder / "good.json").read_bytes(), (("history", "kept"),)
        ),
        "report": Kind(
            "bad.json",
            (folder / "good.json").read_bytes(),
            (("report", "{}", "--out", "page"),),
        ),
        "trial": Kind(f"ran/trials/{trial.name}", trial.read_bytes(), (resumed,)),
        "origin": Kind(
            "ran/trials/origin.json", (folder / "ran/trials/origin.json").read_bytes(), (resumed,)
        ),
        "baseline": Kind(
            "b.json",
            (folder / "b.json").read_bytes(),
            (("gate", "--baseline", "{}", "--cell", "none/agent/gather/asyncio@1"),),
        ),
        "configuration": Kind("pyproject.toml", CONFIGURATION.encode(), (("gate",),)),
    }


def problem_of(finished: Finished) -> str | None:
    """Return what is wrong with how a command ended, if anything is."""
    if finished.status not in {0, 1, 2}:
        return f"exit status {finished.status}"
    if "Traceback" in finished.err:
        return "a traceback"
    for line in (*finished.err.split("\n"), *finished.out.split("\n")):
        if not line.isprintable():
            return f"a line that is not printable: {line!r:.300}"
    lines = finished.err.splitlines()
    if finished.status == 2 and len(lines) != 1:
        return f"{len(lines)} lines on stderr: {finished.err!r:.300}"
    if finished.status == 2 and len(lines[0]) > LONGEST_LINE + 20:
        return f"a line of {len(lines[0])} characters"
    return None


def test_the_files_are_valid_before_they_are_damaged(
    kinds: dict[str, Kind], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_command, "TrialProcesses", NoProcesses)
    # Where the command could not end well, what it says last is not about the file.
    ends = {
        "scenario": "cannot listen on",
        "recording": "cannot listen on",
        "baseline": "--cell 'none/agent/gather/asyncio@1'",
        "configuration": "none.json: no such file",
    }
    for name, kind in kinds.items():
        file = folder / kind.file
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress(kind.content) if kind.is_packed else kind.content)
        for command in kind.commands:
            words = [word.format(kind.file) for word in command]
            finished = run_warpbench_here(folder, *words)
            assert ends.get(name, "") in finished.err, name
            assert (finished.status == 0) == (name not in ends), (name, finished.err)
        if name == "configuration":
            file.unlink()


def test_no_file_ends_in_a_traceback_or_in_more_than_a_line(
    kinds: dict[str, Kind], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_command, "TrialProcesses", NoProcesses)
    many = [name for name in kinds if name != "report"]
    found: list[str] = []
    ends: dict[tuple[str, int], int] = {}
    for number in range(FIRST, FIRST + FILES):
        is_report = number % REPORTS_EVERY == 0
        name = "report" if is_report else many[number % len(many)]
        kind = kinds[name]
        draw = random.Random(f"{SEED} {name} {number}")
        content = mutated(kind.content, draw)
        if kind.is_packed:
            content = gzip.compress(content, mtime=0)
            content = mutated(content, draw) if draw.random() < 0.1 else content
        file = folder / kind.file
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        command = [word.format(kind.file) for word in draw.choice(kind.commands)]
        begun_s = time.monotonic()
        try:
            finished = run_warpbench_here(folder, *command)
            problem = problem_of(finished)
            ends[name, finished.status] = ends.get((name, finished.status), 0) + 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            problem = f"{type(error).__name__}: {error}"[:300]
        took_s = time.monotonic() - begun_s
        if took_s > LONGEST_S:
            problem = f"took {took_s:.0f} s"
        if problem is not None:
            found.append(f"{name} {number}: {' '.join(command)}: {problem}")
        file.write_bytes(gzip.compress(kind.content) if kind.is_packed else kind.content)
        if name == "configuration":
            file.unlink()
    print(sorted(ends.items()))  # noqa: T201 - shown with -s: how many were refused
    assert not found, f"{len(found)} of {FILES}\n" + "\n".join(found[:60])
    refused = sum(count for (_, status), count in ends.items() if status == 2)
    assert refused > FILES / 4
