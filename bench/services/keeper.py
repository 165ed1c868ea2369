"""Keeps the command of a service: a process between it and the trial, in which nothing else runs.

Run as ``python -m warpbench.bench.services.keeper``. It reads one line of JSON from standard input,
``[program, words, environ]``, starts the program in a session of its own, writes its identifier to
standard output, and waits. It ends as the command does. All that the command has started ends with
it, and with whoever holds the other end of standard input: those that made themselves daemons, too
(see ``mocks.supervisor``).
"""

import json
import os
import signal
import sys
from typing import NoReturn

from ...mocks.supervisor import Leash, end_like, fork_trial, stand_over

_NOT_STARTED = 127
"""What shells say of a program that cannot be run."""


def main() -> NoReturn:
    """Start the command, and stand over it."""
    program, words, environ = json.loads(_line(0))
    # Ctrl-C goes to whoever asked for the run, and they end this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    command = fork_trial()
    if command == 0:
        _become(program, words, environ)
    os.write(1, b"%d\n" % command)
    end_like(stand_over(command, Leash(0)))


def _line(file: int) -> bytes:
    """Read a line, and nothing behind it: what then comes, or ends, is for whoever waits for it."""
    read = bytearray()
    while not read.endswith(b"\n"):
        part = os.read(file, 1)
        if not part:
            os._exit(0)
        read += part
    return bytes(read)


def _become(program: str, words: list[str], environ: dict[str, str]) -> NoReturn:
    """Run a program in place of this process: what it prints goes to standard error."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(program, words, environ)  # noqa: S606 - the user's own command
    except OSError as error:
        os.write(2, f"{program}: {error.strerror}\n".encode())
    os._exit(_NOT_STARTED)


if __name__ == "__main__":
    sys.exit(main())
