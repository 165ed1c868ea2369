"""Whatever one place of a file of the lab's own holds, its reader ends well, or with one line.

Each leaf of a valid file gets each odd value, each key is left out, renamed and put beside itself,
each value is wrapped, and lists grow. ``WARPBENCH_CHANGED_FILES`` says how many files of each kind
are read, drawn from all; 0 means all of them.
"""

import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.cli import gate as gate_command
from warpbench.bench.cli import run as run_command
from warpbench.bench.trial import profiling

from ..conftest import run_warpbench_here
from ..mutations import every_change
from .test_mutated_files import LONGEST_S, RUN, NoProcesses, problem_of

FILES = int(os.environ.get("WARPBENCH_CHANGED_FILES", "150"))
SEED = 19
PAGES_EVERY = 25
"""A page with charts takes a second: it is made of some files only."""

GATE = ("gate", "--baseline", "b.json", "--summary", "gate.md", "--junit", "gate.xml")
COMPARED = ("tools", "--strategy", "gather,blocking", "--concurrency", "2", "--sessions", "2")
PROFILED = ("profile", "chat", "--strategy", "gather", "--concurrency", "2", "--sessions", "2")


@dataclass(frozen=True)
class Reader:
    """A kind of file, and who reads it.

    Attributes:
        file: Where it lies.
        document: What a valid one holds.
        commands: Who reads it, in turns.
        is_sqlite: Whether the document is a row of a database.
        every: Of how many files one is read, where reading takes long.
    """

    file: str
    document: Any
    commands: tuple[tuple[str, ...], ...]
    is_sqlite: bool = False
    every: int = 1

    def write(self, folder: Path, document: Any) -> None:
        text = json.dumps(document)
        file = folder / self.file
        file.parent.mkdir(exist_ok=True)
        if not self.is_sqlite:
            file.write_text(text)
            return
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE runs SET document = ?", (text,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed")


def ended_well(folder: Path, *command: str) -> None:
    finished = run_warpbench_here(folder, *command)
    assert finished.status == 0, finished.err


@pytest.fixture(scope="module")
def readers(folder: Path) -> dict[str, Reader]:
    """Return a valid file of each kind."""
    ended_well(folder, *RUN, "--out", "ran")
    ended_well(folder, *RUN, "--json", "--out", "resumed")
    ended_well(folder, "baseline", *COMPARED, "--out", "b.json")
    ended_well(folder, "history", "kept.sqlite", "--add", "ran")
    (folder / "good.json").write_bytes((folder / "ran/run.json").read_bytes())
    trials = sorted((folder / "resumed/trials").glob("chat-*.json"))
    run = json.loads((folder / "good.json").read_text())
    exports = tuple(
        ("export", name, "bad.json")
        for name in ("csv", "pyperf", "bencher", "pytest-benchmark", "github-smaller")
    )
    compared = (("compare", "good.json", "bad.json"), ("compare", "bad.json", "bad.json"))
    # With JSON, so that no page is made: that takes long.
    resumed = ((*RUN, "--json", "--resume", "resumed"),)
    return {
        **{
            f"trial {number}": Reader(
                f"resumed/trials/{trial.name}", json.loads(trial.read_text()), resumed
            )
            for number, trial in enumerate(trials)
        },
        "origin": Reader(
            "resumed/trials/origin.json",
            json.loads((folder / "resumed/trials/origin.json").read_text()),
            resumed,
        ),
        "baseline": Reader(
            "b.json", json.loads((folder / "b.json").read_text()), (GATE, (*GATE, "--json"))
        ),
        "run": Reader("bad.json", run, (*exports, *compared)),
        "history": Reader(
            "kept/bad.json", run, (("history", "kept"), ("history", "kept", "--json"))
        ),
        "history in SQLite": Reader(
            "kept.sqlite",
            run,
            (("history", "kept.sqlite"), ("history", "kept.sqlite", "--add", "good.json")),
            is_sqlite=True,
        ),
        "report": Reader(
            "bad.json", run, (("report", "bad.json", "--out", "page"),), every=PAGES_EVERY
        ),
        "profile": Reader(
            "profiled/run.json", run, ((*PROFILED, "--out", "profiled"),), every=PAGES_EVERY
        ),
    }


@pytest.fixture(scope="module")
def as_before(folder: Path, readers: dict[str, Reader]) -> Mapping[str, Callable[..., Any]]:
    """Return what takes the place of measuring: it returns what was measured once."""
    measured: list[Any] = []
    profiled: list[Any] = []

    def noted(into: list[Any], function: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any, **options: Any) -> Any:
            into.append(function(*arguments, **options))
            return into[-1]

        return noting

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(gate_command, "measure", noted(measured, gate_command.measure))
        patches.setattr(profiling, "profile_cell", noted(profiled, profiling.profile_cell))
        ended_well(folder, *GATE)
        ended_well(folder, *PROFILED, "--out", "profiled")

    def measure_again(specs: Sequence[object], *_: object, **_options: object) -> Any:
        return (measured[0] * 9)[: len(specs)]

    return {"measure": measure_again, "profile_cell": lambda _spec: profiled[0]}


KINDS = (
    *(f"trial {number}" for number in range(2)),
    *("origin", "baseline", "run", "history", "history in SQLite", "report", "profile"),
)


@pytest.mark.parametrize("name", KINDS)
def test_no_change_of_a_file_ends_in_a_traceback_or_in_more_than_a_line(
    name: str,
    readers: dict[str, Reader],
    as_before: Mapping[str, Callable[..., Any]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_command, "TrialProcesses", NoProcesses)
    monkeypatch.setattr(gate_command, "measure", as_before["measure"])
    monkeypatch.setattr(profiling, "profile_cell", as_before["profile_cell"])
    reader = readers[name]
    changes = list(every_change(reader.document))
    if FILES:
        count = max(1, FILES // reader.every)
        changes = random.Random(f"{SEED} {name}").sample(changes, min(len(changes), count))
    else:
        changes = changes[:: reader.every]
    reader.write(folder, reader.document)
    for command in reader.commands:
        ended_well(folder, *command)
    found: list[str] = []
    ends: Counter[int] = Counter()
    for number, (what, document) in enumerate(changes):
        reader.write(folder, document)
        command = reader.commands[number % len(reader.commands)]
        begun_s = time.monotonic()
        try:
            finished = run_warpbench_here(folder, *command)
            problem = problem_of(finished)
            ends[finished.status] += 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            problem = f"{type(error).__name__}: {error}"[:300]
        took_s = time.monotonic() - begun_s
        if took_s > LONGEST_S:
            problem = f"took {took_s:.0f} s"
        if problem is not None:
            found.append(f"{what}: {' '.join(command)}: {problem}")
    reader.write(folder, reader.document)
    print(name, len(changes), sorted(ends.items()))  # noqa: T201 - shown with -s
    assert not found, f"{len(found)} of {len(changes)}\n" + "\n".join(found[:60])
