"""The results file: written whole or not at all, read back equal or refused in one line."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warpbench.bench.results.cell import Cell
from warpbench.bench.results.records import (
    SCHEMA_VERSION,
    CellResult,
    Environment,
    Finding,
    FindingKind,
    LatencySummary,
    Run,
    SessionCounts,
    Status,
    TrialFigures,
)
from warpbench.bench.results.run_file import read_run, write_run
from warpbench.bench.results.samples import Outcome
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import RunFileError

pytestmark = pytest.mark.once

texts = st.text(max_size=20)
names = texts.filter(str.isprintable)
counts = st.integers(min_value=0, max_value=2**53)
numbers = st.just(0.0) | st.floats(min_value=1e-12, max_value=1e21)
optional_numbers = st.none() | numbers
latencies = st.builds(
    LatencySummary,
    **dict.fromkeys(("p50", "p90", "p95", "p99", "max", "mean"), optional_numbers),
)


def trials_of(length: int) -> st.SearchStrategy[TrialFigures]:
    """Return trials of some sessions: a column has a value for each."""
    column = st.lists(counts, min_size=length, max_size=length).map(tuple)
    outcomes = st.lists(st.sampled_from(Outcome), min_size=length, max_size=length).map(tuple)
    return st.builds(
        TrialFigures,
        **dict.fromkeys(
            ("makespan_s", "throughput_per_s", "cpu_s_per_session", "elapsed_s"), numbers
        ),
        **dict.fromkeys(("session", "start_ns", "latency_ns"), column),
        outcome=outcomes,
    )


cells = st.builds(
    CellResult,
    cell=st.builds(
        Cell,
        **dict.fromkeys(("scenario", "target", "strategy", "loop", "transport", "arrivals"), names),
        **dict.fromkeys(("concurrency", "session_count", "seed", "tool_workers"), counts),
        clock=st.sampled_from(ClockMode),
    ),
    trials=counts,
    status=st.sampled_from(Status),
    error=st.none() | texts,
    sessions=st.builds(
        SessionCounts,
        **dict.fromkeys(("started", "succeeded", "failed", "cancelled", "timed_out"), counts),
    ),
    **dict.fromkeys(
        (
            "makespan_s",
            "ideal_makespan_s",
            "efficiency",
            "throughput_per_s",
            "cpu_s_per_session",
            "elapsed_s",
        ),
        optional_numbers,
    ),
    latency_s=latencies,
    ideal_latency_s=latencies,
    latency_quantiles_s=st.lists(
        st.floats(min_value=1e-9, max_value=1e9) | st.just(0.0), max_size=5
    ).map(tuple),
    trial_figures=st.lists(
        st.integers(min_value=0, max_value=4).flatmap(trials_of),
        max_size=2,
    ).map(tuple),
    **dict.fromkeys(
        ("llm_calls", "tool_calls", "peak_in_flight", "peak_rss_bytes"), st.none() | counts
    ),
)
runs = st.builds(
    Run,
    created_at=texts,
    command=texts,
    environment=st.builds(
        Environment,
        python=texts,
        implementation=texts,
        platform=texts,
        cores=counts,
        packages=st.dictionaries(texts, texts, max_size=4),
        commit=st.none() | texts,
    ),
    cells=st.lists(cells, max_size=3).map(tuple),
    findings=st.lists(
        st.builds(
            Finding,
            st.sampled_from(FindingKind),
            texts,
            st.dictionaries(texts, counts | numbers | texts, max_size=3),
        ),
        max_size=3,
    ).map(tuple),
)

CELL = CellResult(
    cell=Cell(
        scenario="tools",
        target="agent",
        strategy="taskgroup",
        loop="uvloop",
        transport="respx",
        clock=ClockMode.WARP,
        concurrency=100,
        session_count=300,
        seed=7,
        tool_workers=32,
    ),
    trials=3,
    sessions=SessionCounts(started=900, succeeded=900),
    efficiency=0.97,
    latency_s=LatencySummary(p50=1.2, p90=1.5),
    latency_quantiles_s=(1.0, 1.2, 1.5),
)
RUN = Run(
    created_at="2026-11-20T12:00:00Z",
    command="warpbench run tools",
    environment=Environment(
        python="3.11.7",
        implementation="CPython",
        platform="Linux",
        cores=2,
        packages={"openai": "3.52.0", "httpx2": "2.16.2"},
        commit=None,
    ),
    cells=(CELL,),
    findings=(Finding(FindingKind.SESSIONS_LOST, "one did not start"),),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


def written(file: Path) -> dict[str, Any]:
    write_run(RUN, file)
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def refusal(file: Path) -> str:
    with pytest.raises(RunFileError) as caught:
        read_run(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(run=runs)
def test_a_run_comes_back_equal(run: Run, file: Path) -> None:
    write_run(run, file)
    assert read_run(file) == run


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(run=runs)
def test_the_same_run_makes_the_same_bytes(run: Run, file: Path) -> None:
    write_run(run, file)
    first = file.read_bytes()
    write_run(read_run(file), file)
    assert file.read_bytes() == first


def test_keys_are_the_fields_in_their_order(file: Path) -> None:
    document = written(file)
    assert list(document) == [
        "created_at",
        "command",
        "environment",
        "cells",
        "findings",
        "schema_version",
        "objective",
        "fidelity",
    ]
    cell = document["cells"][0]
    assert list(cell)[:3] == ["cell", "status", "error"]
    factors = cell["cell"]
    assert list(factors)[:6] == ["scenario", "target", "strategy", "loop", "transport", "arrivals"]
    assert factors["clock"] == "warp"
    assert cell["status"] == "measured"
    assert cell["sessions"]["started"] == 900
    assert cell["latency_s"]["p50"] == 1.2
    assert cell["latency_s"]["p99"] is None
    assert cell["latency_quantiles_s"] == [1.0, 1.2, 1.5]
    assert list(document["environment"]["packages"]) == ["openai", "httpx2"]


def test_people_can_read_it(file: Path) -> None:
    write_run(replace(RUN, command="warpbench run größer"), file)
    text = file.read_text(encoding="utf-8")
    assert text.startswith('{\n  "created_at": "2026-11-20T12:00:00Z",\n')
    assert text.endswith("}\n")
    assert "größer" in text


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_run(RUN, tmp_path / "a" / "b" / "run.json")
    assert read_run(tmp_path / "a" / "b" / "run.json") == RUN


def test_a_text_that_utf8_cannot_hold_does_not_lose_the_run(file: Path) -> None:
    write_run(replace(RUN, command="warpbench run \udcff.toml"), file)
    assert read_run(file).command == "warpbench run ?.toml"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (lambda number: replace(CELL, efficiency=number), "cells.0.efficiency"),
        (
            lambda number: replace(CELL, latency_s=LatencySummary(p99=number)),
            "cells.0.latency_s.p99",
        ),
        (
            lambda number: replace(CELL, latency_quantiles_s=(1.0, number)),
            "cells.0.latency_quantiles_s.1",
        ),
    ],
)
def test_a_number_that_is_not_finite_is_never_written(
    file: Path, cell: Any, key: str, number: float
) -> None:
    write_run(RUN, file)
    with pytest.raises(ValueError, match=key):
        write_run(replace(RUN, cells=(cell(number),)), file)
    assert read_run(file) == RUN


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(RUN, file)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFileError, match="No space left on device"):
        write_run(replace(RUN, cells=()), file)
    assert read_run(file) == RUN
    assert list(file.parent.iterdir()) == [file]


def test_an_interrupted_write_leaves_no_litter(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_run(RUN, file)
    assert list(file.parent.iterdir()) == []


def test_a_folder_in_the_way_of_writing_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(RunFileError, match=r"run\.json: cannot be written"):
        write_run(RUN, tmp_path / "run.json")


def test_a_missing_file_is_named(file: Path) -> None:
    assert "no such file" in refusal(file)
    assert "`warpbench run`" in refusal(file)


def test_a_folder_is_no_results_file(tmp_path: Path) -> None:
    assert "found a directory" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON (line 1"),
        (b'{"created_at": "2026', "not JSON (line 1"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"cores": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 150 + b"]" * 150, "nested too deeply"),
        (b"<<<<<<< HEAD\n{}\n=======\n", "holds a merge conflict (line 1)"),
        (b'{"a": 1,\n<<<<<<< HEAD\n"b": 2}', "holds a merge conflict (line 2)"),
        (b'{"a": 1e22, "schema_version": 1}', "a: not a finite number up to 1e+21"),
        (b'{"seed": ' + b"9" * 309 + b"}", "seed: not a finite number"),
        (b"[]", "expected an object"),
        (b'{"schema_version": NaN}', "schema_version: not a finite number"),
        (b'{"cells": [1e999], "schema_version": 1}', "cells.0: not a finite number"),
    ],
)
def test_what_is_no_results_file_is_refused(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    assert said in refusal(file)


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, "1", True, 1.0, None, [1], "a\nb"])
def test_another_schema_is_refused(file: Path, version: object) -> None:
    document = written(file)
    document["schema_version"] = version
    file.write_text(json.dumps(document), encoding="utf-8")
    message = refusal(file)
    assert "schema_version" in message
    assert f", {SCHEMA_VERSION}; read it with the version that wrote it" in message


def test_a_file_without_schema_is_refused(file: Path) -> None:
    document = written(file)
    del document["schema_version"]
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "schema_version: found nothing" in refusal(file)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("created_at",), 3),
        (("cells",), None),
        (("cells",), {}),
        (("cells", 0), "a cell"),
        (("cells", 0, "concurrency"), "100"),
        (("cells", 0, "concurrency"), 1.5),
        (("cells", 0, "concurrency"), True),
        (("cells", 0, "clock"), "sundial"),
        (("cells", 0, "status"), "MEASURED"),
        (("cells", 0, "efficiency"), "0.97"),
        (("cells", 0, "sessions", "started"), None),
        (("cells", 0, "latency_s", "p50"), []),
        (("cells", 0, "latency_quantiles_s", 1), "x"),
        (("environment", "packages", "openai"), 3),
        (("findings", 0, "kind"), "whim"),
        (("cells", 0, "error"), ["\n" * 500]),
        (("cells", 0, "unheard_of"), 1),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(
    file: Path, path: tuple[str | int, ...], value: object
) -> None:
    document = written(file)
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    file.write_text(json.dumps(document), encoding="utf-8")
    message = refusal(file)
    assert ".".join(str(part) for part in path) + ":" in message
    assert "`warpbench run`" in message
    assert len(message) - len(str(file)) < 300


def test_a_missing_key_is_refused_by_its_name(file: Path) -> None:
    document = written(file)
    del document["cells"][0]["cell"]["scenario"]
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "cells.0.cell.scenario:" in refusal(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": []}, "outcome: expected 2 values, as session has, found 0"),
        ({"latency_ns": [1, 2, 3]}, "latency_ns: expected 2 values, as session has, found 3"),
        ({"first_output_ns": [1]}, "first_output_ns: expected 2 values, as session has, found 1"),
        ({"longest_ttft_ns": [1]}, "longest_ttft_ns: expected 2 values, as session has, found 1"),
        ({"longest_gap_ns": [1, 2, 3]}, "longest_gap_ns: expected 2 values"),
        ({"time_parts_ns": {"llm": [1]}}, "llm: expected 2 values, as session has, found 1"),
        ({"time_parts_ns": {"\x1b": [1, 2]}}, "time_parts_ns: no such part: '\\x1b'"),
        ({"throughput_per_s": -1.0}, "throughput_per_s: expected 0 or more, found -1"),
        # Exported as a benchmark, it has infinitely many operations a second.
        ({"makespan_s": 5e-324}, "makespan_s: expected 0 or at least 1e-12, found 4.94066e-324"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(
    file: Path, change: dict[str, object], said: str
) -> None:
    trial = TrialFigures(
        makespan_s=1.0,
        throughput_per_s=2.0,
        cpu_s_per_session=0.1,
        elapsed_s=0.1,
        session=(0, 1),
        outcome=(Outcome.SUCCEEDED, Outcome.SUCCEEDED),
        start_ns=(0, 0),
        latency_ns=(5, 6),
    )
    write_run(replace(RUN, cells=(replace(CELL, trial_figures=(trial,)),)), file)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["cells"][0]["trial_figures"][0].update(change)
    file.write_text(json.dumps(document), encoding="utf-8")
    assert said in refusal(file)


def test_a_name_that_would_move_the_cursor_is_refused(file: Path) -> None:
    document = written(file)
    document["cells"][0]["cell"]["target"] = "\x1b[31mred"
    file.write_text(json.dumps(document), encoding="utf-8")
    message = refusal(file)
    assert "cells.0.cell.target: expected printable text, found '\\x1b[31mred'" in message


def test_a_latency_below_a_nanosecond_is_refused(file: Path) -> None:
    document = written(file)
    document["cells"][0]["latency_quantiles_s"][1] = 5e-324
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "cells.0.latency_quantiles_s.1: expected 0 or at least 1e-12" in refusal(file)


def test_more_quantiles_than_there_are_is_refused(file: Path) -> None:
    document = written(file)
    document["cells"][0]["latency_quantiles_s"] *= 100
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "cells.0.latency_quantiles_s: expected at most 101 values, found 300" in refusal(file)


def test_a_file_without_end_is_not_read() -> None:
    with pytest.raises(RunFileError, match="expected a file, found a device"):
        read_run("/dev/zero")


def test_a_long_or_unprintable_key_is_not_repeated_whole(file: Path) -> None:
    document = written(file)
    document["cells"][0]["\x1b[31m\u202e" + "x" * 5000] = 1
    file.write_text(json.dumps(document), encoding="utf-8")
    message = refusal(file)
    assert message.isprintable()
    assert len(message) - len(str(file)) < 400
