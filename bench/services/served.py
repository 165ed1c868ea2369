"""The life of a service as it is deployed: started by its own command, ready, and ended."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Self

from ...mocks.child_process import exit_reason
from ...mocks.errors import TargetError
from .command import ServeCommand, require_program, said

HOST = "127.0.0.1"

READY_WITHIN_S = 30.0
"""Real seconds that a service gets to answer its first request, unless another limit is given."""

GRACE_S = 5.0
"""Real seconds that a service gets to end by itself after SIGTERM."""

_LOOKS_EVERY_S = 0.02
_STARTS_WITHIN_S = 30.0
_LAST_LINES = 5
_MOST_READ = 1 << 16
_LONGEST_LINE = 200


class ServedService:
    """A service that runs; leave its scope to end it, with all that it has started.

    Attributes:
        port: Its port on loopback.
        keeper: Identifier of the process that keeps it, from which all of its own descend.
        pid: Identifier of the process that the command runs in.

    Args:
        command: Starts it.
        workers: How many workers the command is told to have.
        environ: Its environment.

    Raises:
        TargetError: There is no such program.
    """

    def __init__(self, command: ServeCommand, workers: int, environ: Mapping[str, str]) -> None:
        self._command = command
        self.port = _free_port()
        self._words = command.filled(self.port, workers)
        program = require_program(command, environ)
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._keeper = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", f"{__package__}.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            # Ctrl-C of a terminal goes to a group, and this one is not to end before its command.
            start_new_session=True,
        )
        self.keeper = self._keeper.pid
        try:
            self.pid = self._started(program, environ)
        except BaseException:
            self.end()
            raise

    def _started(self, program: str, environ: Mapping[str, str]) -> int:
        told, says = self._keeper.stdin, self._keeper.stdout
        assert told is not None
        assert says is not None
        with contextlib.suppress(BrokenPipeError):
            told.write(json.dumps([program, self._words, dict(environ)]).encode() + b"\n")
            told.flush()
        line = says.readline() if select.select([says], [], [], _STARTS_WITHIN_S)[0] else b""
        if not line.strip().isdigit():
            raise TargetError(self._problem("could not be started"))
        return int(line)

    def wait_until_ready(self, within_s: float) -> None:
        """Wait until it answers a request, whatever it says.

        Args:
            within_s: Real seconds that it gets for that.

        Raises:
            TargetError: It ended before, or did not answer in time. The message holds the last
                lines that it printed.
        """
        until_s = time.monotonic() + within_s
        accepts = False
        while True:
            if self._keeper.poll() is not None:
                raise TargetError(
                    self._problem(f"{exit_reason(self._keeper.returncode)} before it answered")
                )
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                where = f"http://{HOST}:{self.port}"
                what = (
                    f"accepted connections at {where} and answered none"
                    if accepts
                    else f"did not listen at {where}"
                )
                raise TargetError(self._problem(f"{what} within {within_s:g} s"))
            answered = _answers(self.port, left_s)
            if answered:
                return
            accepts = accepts or answered is not None
            time.sleep(min(_LOOKS_EVERY_S, left_s))

    @property
    def status(self) -> int | None:
        """How its command ended, as ``subprocess`` tells it; ``None`` as long as it runs."""
        return self._keeper.poll()

    def last_lines(self) -> str:
        """Return the last lines that it printed, on one line."""
        size = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, size - _MOST_READ))
        text = self._printed.read().decode(errors="replace")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        return " | ".join(line[:_LONGEST_LINE] for line in lines[-_LAST_LINES:])

    def end(self) -> None:
        """Let it end by itself, then kill what is left of it; whatever it started ends as well."""
        told, says = self._keeper.stdin, self._keeper.stdout
        assert told is not None
        assert says is not None
        pid = getattr(self, "pid", None)
        if pid is not None and self._keeper.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.wait(GRACE_S)
        with contextlib.suppress(BrokenPipeError):
            told.close()
        try:
            self._keeper.wait(2 * GRACE_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        says.close()
        self._printed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _problem(self, what: str) -> str:
        printed = self.last_lines()
        told = f"it printed: {printed}" if printed else "it printed nothing"
        return f"--serve: {said(self._words)} {what}; {told}"


def _answers(port: int, within_s: float) -> bool | None:
    """Say whether a server answers a request; ``None`` if it takes no connection."""
    connection = http.client.HTTPConnection(HOST, port, timeout=within_s)
    try:
        connection.connect()
    except OSError:
        return None
    try:
        connection.request("GET", "/", headers={"connection": "close"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
