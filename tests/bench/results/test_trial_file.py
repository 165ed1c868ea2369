"""A trial's file holds all that its cell's result is made of, and belongs to one run alone."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.results.blocked_loop import BlockedLoop, Cause
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.timeline import Lane, LaneState, Timeline, Vitals
from warpbench.bench.results.trial_file import (
    TRIALS,
    CellKey,
    RunOrigin,
    TrialFolder,
    new_run,
    read_origin,
)
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.summary import cell_result, trial_figures
from warpbench.mocks.errors import RunFileError
from warpbench.mocks.observe.streams import Streams

from ...built import CELL, HEADER, TRIAL

pytestmark = pytest.mark.once

KEY = CellKey(CELL, "0123456789abcdef")
FULL = replace(
    TRIAL,
    samples=(
        SessionSample(1, Outcome.SUCCEEDED, 5, 1_200_000_000),
        SessionSample(0, Outcome.FAILED, 0, 1_300_000_000, "APIError: key sk-abcdefghijkl"),
    ),
    makespan_ns=1_300_000_000,
    ideal_latencies_ns=(1_200_000_000, 1_100_000_000),
    llm_calls=4,
    cpu_s=0.5,
    time_parts_ns=(TimeParts(llm=1_000_000_000, cpu=7), TimeParts(llm=900_000_000, retry=5)),
    blocked_loop=(BlockedLoop("agent.py:answer", 1, 2, 0, Cause.COMPUTING, ("agent.py:3",)),),
    vitals=Vitals(at_ns=(0, 5), loop_lag_ns=(0, 1)),
    timeline=Timeline(
        lanes=(
            Lane(session=0, outcome=Outcome.FAILED, end_ns=9, from_ns=(0,), state=(LaneState.OWN,)),
        )
    ),
    refused=(
        RefusedHost(host="a.example", paths=("/price",), requests=3, sessions=2, cost_s=0.25),
    ),
    probe_cpu_s=0.01,
)
STREAMED = replace(
    TRIAL,
    samples=(
        SessionSample(0, Outcome.SUCCEEDED, 3, 90, first_output_ns=13),
        SessionSample(1, Outcome.FAILED, 8, 20),
    ),
    makespan_ns=90,
    streams=Streams(
        session=(0, 0, 1),
        ttft_ns=(10, 30, -1),
        longest_gap_ns=(20, -1, -1),
        span_ns=(40, 0, 0),
        tokens=(3, 1, 0),
        gaps={20: 2},
        prompt_tokens=150,
        completion_tokens=4,
    ),
)
IN_OPEN_LOOP = replace(
    TRIAL,
    samples=(
        SessionSample(0, Outcome.SUCCEEDED, 3, 10, None, 0),
        SessionSample(1, Outcome.SUCCEEDED, 8, 20, None, 7, first_output_ns=9),
    ),
    makespan_ns=20,
)


def origin() -> RunOrigin:
    return new_run(HEADER.created_at, HEADER.command, HEADER.environment, None, HEADER.secrets)


def keep(folder: TrialFolder, trial: TrialResult, number: int = 0, key: CellKey = KEY) -> None:
    folder.keep(key, number, trial, trial_figures(trial))


def resumed(path: Path) -> TrialFolder:
    return TrialFolder(path, read_origin(path), HEADER.secrets, is_resumed=True)


@pytest.mark.parametrize(
    "trial",
    [TRIAL, FULL, STREAMED, IN_OPEN_LOOP],
    ids=["empty", "full", "streamed", "open loop"],
)
def test_a_cell_has_the_same_result_from_the_files_of_its_trials(
    trial: TrialResult, tmp_path: Path
) -> None:
    trial = replace(
        trial,
        samples=tuple(replace(each, error=each.error and "APIError") for each in trial.samples),
    )
    folder = TrialFolder(tmp_path, origin(), HEADER.secrets)
    keep(folder, trial, 0)
    keep(folder, replace(trial, makespan_ns=2_000_000_000), 1)

    taken = resumed(tmp_path).taken(KEY)

    assert taken == (trial, replace(trial, makespan_ns=2_000_000_000))
    assert cell_result(CELL, taken[:1]) == cell_result(CELL, [trial])


def test_trials_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path, origin(), ())
    for number in (10, 2, 0):
        keep(folder, replace(TRIAL, llm_calls=number), number)
    assert [trial.llm_calls for trial in resumed(tmp_path).taken(KEY)] == [0, 2, 10]


def test_no_secret_reaches_a_file(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path, origin(), HEADER.secrets)
    samples = (replace(FULL.samples[1], error="401 for secret-of-theirs and sk-abcdefghijkl"),)
    keep(folder, replace(FULL, samples=samples, time_parts_ns=()))

    text = "".join(file.read_text() for file in (tmp_path / TRIALS).iterdir())

    assert "401 for [redacted] and [redacted]" in text
    assert "secret-of-theirs" not in text
    assert "sk-abcdefghijkl" not in text


@pytest.mark.parametrize(
    ("trial", "key"),
    [
        (replace(FULL, server_utilisation=math.nan), "server_utilisation"),
        (replace(FULL, probe_cpu_s=math.inf), "probe_cpu_s"),
        (
            replace(FULL, time_parts_ns=(TimeParts(llm=math.nan), TimeParts())),
            "figures.time_parts_ns.llm.0",
        ),
    ],
)
def test_a_number_that_is_not_finite_is_never_written(
    trial: TrialResult, key: str, tmp_path: Path
) -> None:
    folder = TrialFolder(tmp_path, origin(), ())
    with pytest.raises(ValueError, match=rf"{key} is not a finite number"):
        keep(folder, trial)
    assert resumed(tmp_path).taken(KEY) == ()


def test_an_earlier_run_in_the_folder_ends_with_the_first_trial_of_a_new_one(
    tmp_path: Path,
) -> None:
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL, 0)
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL, 1)
    assert len(resumed(tmp_path).taken(KEY)) == 1


def test_a_file_of_another_run_or_another_workload_is_not_taken(tmp_path: Path) -> None:
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL, 0)
    stale = {file.name: file.read_bytes() for file in (tmp_path / TRIALS).glob("*-0.json")}
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL, 1, CellKey(CELL, "other"))
    for name, content in stale.items():
        (tmp_path / TRIALS / name).write_bytes(content)

    assert resumed(tmp_path).taken(KEY) == ()


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / TRIALS / "notes.json"
    notes.parent.mkdir()
    notes.write_text("{}")
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL)
    assert notes.read_text() == "{}"


def test_names_of_files_are_safe_and_differ_where_cells_do(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path, origin(), ())
    cell = replace(
        CELL, scenario="/home/me/my scenario: a.toml", target="x:y", arrivals="poisson:2"
    )
    keep(folder, TRIAL, 0, CellKey(cell, "a" * 64))
    keep(folder, TRIAL, 0, CellKey(cell, "b" * 64))
    names = {file.name for file in (tmp_path / TRIALS).glob("*-0.json")}
    assert names == {
        f"home-me-my-scenario-a.toml-x-y-gather-asyncio@10-warp-poisson-2-{each}-0.json"
        for each in ("a" * 12, "b" * 12)
    }


def test_a_folder_without_trials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="holds no trials of a run; name the folder"):
        read_origin(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:50], "delete it to run its trial again"),
        (lambda text: text.replace('"llm_calls":4', '"llm_calls":"4"'), "llm_calls"),
        (
            lambda text: text.replace('"schema_version":2', '"schema_version":99'),
            "schema_version: found 99, this warpbench reads 2",
        ),
        (lambda _: "{}", "schema_version: found nothing"),
        (lambda _: "[]", "delete it"),
    ],
)
def test_a_broken_file_is_named_with_its_key_and_what_to_do(
    change: object, said: str, tmp_path: Path
) -> None:
    keep(TrialFolder(tmp_path, origin(), ()), FULL)
    (file,) = (tmp_path / TRIALS).glob("*-0.json")
    file.write_text(change(file.read_text()))  # type: ignore[operator]

    with pytest.raises(RunFileError) as caught:
        resumed(tmp_path).taken(KEY)

    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert said in message
    assert "\n" not in message


def test_the_origin_can_be_read_by_people(tmp_path: Path) -> None:
    keep(TrialFolder(tmp_path, origin(), ()), TRIAL)
    document = json.loads((tmp_path / TRIALS / "origin.json").read_text())
    assert document["command"] == "warpbench run --target x:[redacted]"
    assert document["environment"]["python"] == "3"


def test_what_each_session_met_of_its_streams_is_in_columns() -> None:
    figures = trial_figures(STREAMED)
    assert figures.session == (0, 1)
    assert figures.first_output_ns == (10, -1)
    assert figures.longest_ttft_ns == (30, -1)
    assert figures.longest_gap_ns == (20, -1)
    assert trial_figures(FULL).longest_ttft_ns == trial_figures(FULL).first_output_ns == ()
