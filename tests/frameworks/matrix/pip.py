"""pip, in environments of their own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .deadlines import NO_DEADLINE, Deadline
from .packages import Package, packages_of
from .places import python_of

UPGRADE_LIMIT_S = 300


class PipError(Exception):
    """pip could not do it; the message is its last word."""


@dataclass(frozen=True, slots=True)
class Pip:
    """The newest pip, in an environment that has nothing else; it installs into others.

    Attributes:
        folder: Its environment.
        deadline: Until when it may work; what it does raises ``OutOfTimeError`` then.
    """

    folder: Path
    deadline: Deadline = NO_DEADLINE

    @classmethod
    def made(cls, folder: Path, deadline: Deadline = NO_DEADLINE) -> "Pip":
        """Return pip from its environment; make that if it is not there.

        Raises:
            PipError: pip cannot be renewed.
        """
        pip = cls(folder, deadline)
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip._run(UPGRADE_LIMIT_S, "install", "--upgrade", "pip")
        return pip

    def look_up(self, distributions: Sequence[str], report: Path, limit_s: float) -> None:
        """Write a report of what pip would install into an empty environment.

        Raises:
            PipError: It finds no solution, or not in time.
        """
        report.parent.mkdir(parents=True, exist_ok=True)
        options = ("--dry-run", "--ignore-installed", "--report", str(report))
        self._run(limit_s, "install", *options, *distributions)

    def install(self, folder: Path, *arguments: str, limit_s: float) -> tuple[Package, ...]:
        """Install into an environment, and return what was installed.

        Modules are compiled when they are imported, not all at once, which takes longer.

        Raises:
            PipError: It finds no solution, or not in time.
        """
        report = folder / "report.json"
        into = ("--python", str(python_of(folder)), "install")
        self._run(limit_s, *into, "--no-compile", "--report", str(report), *arguments)
        return read_report(report)

    def _run(self, limit_s: float, *arguments: str) -> None:
        command = [str(python_of(self.folder)), "-m", "pip", "--quiet", *arguments]
        cut_s = self.deadline.cut_s(limit_s)
        try:
            finished = subprocess.run(
                command, capture_output=True, text=True, timeout=cut_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            self.deadline.check()
            raise PipError(f"pip found no solution in {limit_s:.0f} s") from error
        if finished.returncode:
            raise PipError(_last_word(finished.stderr))


def make_environment(folder: Path) -> None:
    """Make an empty environment, without pip, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)


def read_report(path: Path) -> tuple[Package, ...]:
    """Read a report of pip."""
    return packages_of(json.loads(path.read_text()))


def _last_word(text: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if "ERROR: " in line]
    return errors[0] if errors else "pip failed, and named no error"
