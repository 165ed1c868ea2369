"""Recordings: what is written is read again, and anything else gets one line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.scenario.recording import (
    RecordedCall,
    RecordedSession,
    RecordedToolCall,
    read_recording,
    recording_bytes,
)

pytestmark = pytest.mark.once

HEADER: dict[str, Any] = {"warpbench_recording": 1}
WAITS = st.floats(0, 1000).map(lambda value: round(value, 6))
TOKENS = st.integers(0, 100_000)


def sessions(nested: bool = True) -> st.SearchStrategy[RecordedSession]:
    inner = st.none() | sessions(nested=False) if nested else st.none()
    tools = st.builds(RecordedToolCall, st.sampled_from(["work", "agent"]), WAITS, inner)
    asking = st.builds(
        RecordedCall, WAITS, TOKENS, TOKENS, st.lists(tools, min_size=1, max_size=2).map(tuple)
    )
    last = st.builds(RecordedCall, WAITS, TOKENS, TOKENS, ttft_s=st.none() | WAITS)
    calls = st.tuples(st.lists(asking, max_size=2), last).map(lambda c: (*c[0], c[1]))
    return st.builds(RecordedSession, WAITS, calls)


@given(st.lists(sessions(), min_size=1, max_size=3))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[RecordedSession]
) -> None:
    path = tmp_path_factory.getbasetemp() / "recording"
    path.write_bytes(recording_bytes(recorded))

    assert read_recording(path).sessions == tuple(recorded)
    assert recording_bytes(recorded) == path.read_bytes()


LAST = {"latency_s": 1, "prompt_tokens": 1, "completion_tokens": 1}
ASKS = {**LAST, "tools": [{"tool": "work", "latency_s": 1}]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "expected a recording of format 1"),
        ([{"warpbench_recording": 2}], "expected a recording of format 1"),
        ([HEADER], "expected at least one session"),
        ([HEADER, 3], "line 2"),
        ([HEADER, {"start_s": 0}], "line 2: calls: Field required"),
        ([HEADER, {"start_s": 0, "calls": []}], "line 2: expected at least one model call"),
        ([HEADER, {"start_s": 0, "calls": [LAST, LAST]}], "calls[0]: expected tools in all"),
        ([HEADER, {"start_s": 0, "calls": [ASKS]}], "calls[0]: expected no tools in the last"),
        (
            [HEADER, {"start_s": 0, "calls": [{**LAST, "latency_s": -1}]}],
            "calls[0]: expected waits of 0 to 1000000000 seconds",
        ),
        (
            [HEADER, {"start_s": 0, "calls": [{**LAST, "latency": 1}]}],
            "calls.0.latency: Unexpected keyword argument",
        ),
    ],
)
def test_what_is_no_recording_gets_one_line(tmp_path: Path, lines: list[Any], message: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))

    with pytest.raises(ScenarioError) as told:
        read_recording(path)

    assert message in str(told.value)
    assert "\n" not in str(told.value)


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, zipped: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(gzip.compress(json.dumps(HEADER).encode() + b"\n" + junk) if zipped else junk)

    with pytest.raises(ScenarioError):
        read_recording(path)


def test_a_scenario_names_the_recording_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    path.write_text(
        'name = "replay"\ndescription = "d"\nsessions = 1\n[recording]\nfile = "gone.jsonl.gz"\n'
    )

    with pytest.raises(ScenarioError, match=r"gone\.jsonl\.gz: expected a recording, found no"):
        load_scenario(str(path))


def test_a_tool_that_is_called_has_to_be_declared(tmp_path: Path) -> None:
    tools = (RecordedToolCall("work", 1),)
    recorded = RecordedSession(0, (RecordedCall(1, 1, 1, tools), RecordedCall(1, 1, 1)))
    (tmp_path / "r.jsonl.gz").write_bytes(recording_bytes([recorded]))
    (tmp_path / "replay.toml").write_text(
        'name = "replay"\ndescription = "d"\nsessions = 1\n[recording]\nfile = "r.jsonl.gz"\n'
    )

    with pytest.raises(ScenarioError, match=r"tools\.work: expected a table \[tools\.work\]"):
        load_scenario(str(tmp_path / "replay.toml"))
