"""Runs the commands of a framework in its environment, and keeps what came of each."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .deadlines import NO_DEADLINE, Deadline
from .environments import Environment
from .frameworks import Framework
from .judging import every_session, timed_pairs
from .pairs import MOST_PAIRS, is_decided
from .places import Places
from .runs import TRIAL_LIMIT_S, Asked, Ran, asked_of, pair_of

RECORD = "WARPBENCH_MATRIX_RECORD"
THREADS = "WARPBENCH_MATRIX_THREADS"
NO_COMPILED_FILES = "PYTHONDONTWRITEBYTECODE"
COMMAND_LIMIT_S = 3 * TRIAL_LIMIT_S
ROOMS = ("agent", "bench", "mocks")


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a framework in its environment; what ran once is not run again.

    Attributes:
        places: Where things are.
        framework: Whose commands.
        environment: Where they run.
        deadline: Until when they may.
    """

    places: Places
    framework: Framework
    environment: Environment
    deadline: Deadline

    def ran(self, asked: Asked) -> Ran:
        """Return what came of a command, which runs if it has not.

        Raises:
            OutOfTimeError: It has not, and cannot in time.
        """
        known = self.known(asked)
        if known is not None:
            return known
        commands = self.environment.folder / "bin"
        ran = execute(asked, self.framework.module, commands, self.places.targets, self.deadline)
        self._path(asked).parent.mkdir(parents=True, exist_ok=True)
        self._path(asked).write_text(json.dumps({"key": self._key(asked), "ran": asdict(ran)}))
        return ran

    def known(self, asked: Asked) -> Ran | None:
        """Return what came of a command with these packages, this agent and this warpbench."""
        path = self._path(asked)
        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return Ran(**kept["ran"]) if kept.get("key") == self._key(asked) else None

    def _path(self, asked: Asked) -> Path:
        return self.places.results(self.framework) / f"{asked.name}.json"

    def _key(self, asked: Asked) -> str:
        return f"{_digest(self.places, self.framework, self.environment)} {asked}"


def ran_in(
    framework: Framework,
    run: Callable[[Asked], Ran | None],
    known: Callable[[Asked], Ran | None] = lambda _: None,
) -> dict[str, Ran]:
    """Return what came of each command of a framework, by its name.

    Pairs in wall and in warp follow one another until they tell enough, or one of them fails.

    Args:
        framework: Whose commands.
        run: Returns what came of a command; ``None`` if it did not run, and is not to.
        known: Returns what came of one that need not run any more.
    """
    runs: dict[str, Ran] = {}
    for asked in asked_of(framework):
        ran = run(asked)
        if ran is not None:
            runs[asked.name] = ran
    new = 0
    for number in count():
        pair = pair_of(framework, number)
        new += any(known(asked) is None for asked in pair)
        if new > MOST_PAIRS or is_decided(timed_pairs(runs)):
            break
        for asked in pair:
            ran = run(asked)
            if ran is None:
                return runs
            runs[asked.name] = ran
            if not every_session(ran).works:
                return runs
    return runs


def execute(
    asked: Asked, module: str, commands: Path, folder: Path, deadline: Deadline = NO_DEADLINE
) -> Ran:
    """Run a command to its end, or end it when its time is up.

    Args:
        asked: What to run.
        module: The agent's module.
        commands: The folder of the environment's commands.
        folder: The folder with the module.
        deadline: Until when it may run.

    Raises:
        OutOfTimeError: It was not at its end by then.
    """
    with TemporaryDirectory() as out:
        record = Path(out) / "tools"
        # Modules are compiled once, whoever runs this: else each trial would compile a framework.
        environ = {name: os.environ[name] for name in os.environ if name != NO_COMPILED_FILES}
        if asked.records:
            environ[RECORD] = str(record)
        if asked.threads is not None:
            environ[THREADS] = str(asked.threads)
        begin_s = time.monotonic()
        status, printed, said = _finished(
            [str(commands / "warpbench"), *asked.arguments(module, out)], folder, environ, deadline
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
    command: list[str], folder: Path, environ: Mapping[str, str], deadline: Deadline
) -> tuple[int | None, str, str]:
    limit_s = deadline.cut_s(COMMAND_LIMIT_S)
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
        printed, said = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, said = process.communicate()
        deadline.check()
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
