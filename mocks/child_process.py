"""Child processes: started, waited for no longer than a limit, ended by their id, and quoted.

What goes wrong with one is a ``ChildError`` of one line. Trials have their own way of being
started, as forks of a server that has the imports done (``bench.runner.processes``).
"""

import contextlib
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from .errors import WarpbenchError

_TERMINATES_WITHIN_S = 2.0


class ChildError(WarpbenchError):
    """A child process came to nothing.

    Attributes:
        output: What it wrote to standard error, on one line.
        has_ended: Whether it ended by itself, with another status than 0.
    """

    def __init__(self, reason: str, output: str = "", *, has_ended: bool = False) -> None:
        super().__init__(reason)
        self.output = " ".join(output.split())
        self.has_ended = has_ended


class ChildTimeoutError(ChildError):
    """A child process did not end, or answer, within the limit."""


def run_to_end(
    command: Sequence[str],
    limit_s: float,
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run a command, and return what it wrote to standard output.

    Args:
        command: The program and its arguments.
        limit_s: Real seconds after which it is killed.
        folder: Its current directory; ``None`` for that of this process.
        environ: Its environment variables; ``None`` for those of this process.

    Raises:
        ChildError: It cannot be started, or ended with another status than 0. The message quotes
            its last line.
        ChildTimeoutError: It took too long.
    """
    try:
        finished = subprocess.run(  # noqa: S603 - the callers' commands: git, pip, valgrind
            command,
            cwd=folder,
            env=environ,
            capture_output=True,
            check=False,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise ChildTimeoutError(f"no result within {limit_s:g} s") from None
    except OSError as error:
        raise ChildError(f"{command[0]} cannot be run: {error.strerror or error}") from error
    if finished.returncode != 0:
        raise ChildError(last_line(finished.stderr), finished.stderr, has_ended=True)
    return finished.stdout


class Child:
    """A child process that serves until its standard input ends; leave its scope to end it.

    Args:
        command: The program and its arguments.
        ends_within_s: Real seconds that it gets to end by itself.
        folder: Its current directory; ``None`` for that of this process.
        environ: Its environment variables; ``None`` for those of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        ends_within_s: float = 0.0,
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._ends_within_s = ends_within_s
        self._ends_by_s: float | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    @property
    def pid(self) -> int:
        """The identifier of the process."""
        return self._process.pid

    def write(self, content: bytes) -> None:
        """Write to its standard input; if it is gone, the next ``line`` will say so."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(content)
            self._process.stdin.flush()

    def line(self, limit_s: float) -> str:
        """Return the line that it writes to standard output next: one for each that was asked for.

        Args:
            limit_s: Real seconds to wait for it.

        Raises:
            ChildError: The process has ended.
            ChildTimeoutError: There is none within the limit.
        """
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], limit_s)[0]:
            raise ChildTimeoutError(f"hung: no answer within {limit_s:g} s")
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            errors = self._errors.read().decode(errors="replace")
            raise ChildError(f"crashed: {last_line(errors)}", errors, has_ended=True)
        return line.decode(errors="replace")

    def hang_up(self) -> None:
        """Close its standard input: it should end, and nobody waits for that yet."""
        assert self._process.stdin is not None
        if self._ends_by_s is None:
            self._ends_by_s = time.monotonic() + self._ends_within_s
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def end(self) -> None:
        """End the process: let it end by itself, then terminate it, then kill it."""
        process = self._process
        assert process.stdout is not None
        self.hang_up()
        assert self._ends_by_s is not None
        for within_s, harder in (
            (max(0.0, self._ends_by_s - time.monotonic()), process.terminate),
            (_TERMINATES_WITHIN_S, process.kill),
        ):
            try:
                process.wait(within_s)
            except subprocess.TimeoutExpired:
                harder()
        process.wait()
        process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def last_line(text: str) -> str:
    """Return the last line of what a process wrote."""
    return (text.strip().splitlines() or ["(no output)"])[-1].strip()


def exit_reason(status: int) -> str:
    """Say how a process ended, by the exit status that Python gives it."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
