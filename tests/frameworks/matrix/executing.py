"""Runs the commands of a framework in its environment, and keeps what came of each."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .environments import Environment
from .frameworks import Framework
from .places import Places
from .runs import TRIAL_LIMIT_S, Asked, Ran, asked_of

RECORD = "WARPBENCH_MATRIX_RECORD"
NO_COMPILED_FILES = "PYTHONDONTWRITEBYTECODE"
COMMAND_LIMIT_S = 3 * TRIAL_LIMIT_S
ROOMS = ("agent", "bench", "mocks")


def ran_in(
    places: Places, framework: Framework, environment: Environment, *, goes_on: bool = True
) -> dict[str, Ran]:
    """Return what came of each command of a framework, by its name.

    One that ran with these packages, this agent and this warpbench is not run again.

    Args:
        places: Where things are.
        framework: Whose commands.
        environment: Where they run.
        goes_on: Whether to run those that have not run.
    """
    folder = places.results(framework)
    folder.mkdir(parents=True, exist_ok=True)
    digest = _digest(places, framework, environment)
    runs = {}
    for asked in asked_of(framework):
        path, key = folder / f"{asked.name}.json", f"{digest} {asked}"
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        if known.get("key") == key:
            runs[asked.name] = Ran(**known["ran"])
        elif goes_on:
            ran = execute(asked, framework.module, environment.folder / "bin", places.targets)
            path.write_text(json.dumps({"key": key, "ran": asdict(ran)}))
            runs[asked.name] = ran
    return runs


def execute(asked: Asked, module: str, commands: Path, folder: Path) -> Ran:
    """Run a command to its end, or end it when its time is up.

    Args:
        asked: What to run.
        module: The agent's module.
        commands: The folder of the environment's commands.
        folder: The folder with the module.
    """
    with TemporaryDirectory() as out:
        record = Path(out) / "tools"
        # Modules are compiled once, whoever runs this: else each trial would compile a framework.
        environ = {name: os.environ[name] for name in os.environ if name != NO_COMPILED_FILES}
        if asked.records:
            environ[RECORD] = str(record)
        begin_s = time.monotonic()
        status, printed, said = _finished(
            [str(commands / "warpbench"), *asked.arguments(module, out)], folder, environ
        )
        elapsed_s = time.monotonic() - begin_s
        records = record.read_text().splitlines() if record.exists() else []
    return Ran(
        elapsed_s=elapsed_s,
        status=status,
        run=_run_of(printed),
        error=(said.strip().splitlines() or [""])[-1],
        records=tuple(json.loads(line) for line in records),
    )


def _finished(
    command: list[str], folder: Path, environ: Mapping[str, str]
) -> tuple[int | None, str, str]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = process.communicate(timeout=COMMAND_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, said = process.communicate()
        return None, printed, said
    return process.returncode, printed, said


def _run_of(printed: str) -> dict[str, Any]:
    try:
        run: dict[str, Any] = json.loads(printed)
    except ValueError:
        return {}
    return run


def _digest(places: Places, framework: Framework, environment: Environment) -> str:
    digest = hashlib.sha256(
        json.dumps([asdict(each) for each in environment.packages if each.sha256]).encode()
    )
    for path in _sources(places, framework):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(places: Places, framework: Framework) -> Iterator[Path]:
    yield places.targets / "lab_tools.py"
    yield places.targets / f"{framework.module}.py"
    for room in ROOMS:
        yield from sorted((places.checkout / room).rglob("*.py"))
