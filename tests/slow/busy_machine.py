"""Runs a command while other processes keep every core busy, and ends those whatever happens.

python tests/slow/busy_machine.py --loops 20 --nice 5 -- make test
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

_LONGEST_S = 3600
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_S = 20.0
_LOOKS_EVERY_S = 0.1
_BUSY = """
import os, signal, sys, time
os.nice(int(sys.argv[1]))
parent, until_s = os.getppid(), time.monotonic() + float(sys.argv[2])
while time.monotonic() < until_s and os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextlib.contextmanager
def busy_machine(loops: int = 20, nice: int = 5, longest_s: float = _LONGEST_S) -> Iterator[None]:
    """Keep the machine busy in this scope.

    Args:
        loops: How many processes compute.
        nice: By how much less their priority is than ours.
        longest_s: Seconds after which they end by themselves, as they do when we end.
    """
    command = [sys.executable, "-S", "-c", _BUSY, str(nice), str(longest_s)]
    processes = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def run_to_end(command: Sequence[str]) -> int:
    """Run a command in a process group of its own; return its exit status as a shell tells it.

    What would end this process (Ctrl-C, SIGTERM, SIGHUP) is passed on to the whole group, and the
    status is still the command's. Whatever the command leaves running in its group is killed.
    """
    received: list[int] = []
    for number in _ENDING:
        signal.signal(number, lambda number, _frame: received.append(number))
    process = subprocess.Popen(command, start_new_session=True)
    killed_after_s = None
    try:
        while True:
            for number in received:
                _signal_group(process.pid, number)
                killed_after_s = _GRACE_S
            received.clear()
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(_LOOKS_EVERY_S)
                return status if status >= 0 else 128 - status
            if killed_after_s is not None:
                killed_after_s -= _LOOKS_EVERY_S
                if killed_after_s <= 0:
                    _signal_group(process.pid, signal.SIGKILL)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def main(arguments: Sequence[str]) -> int:
    """Run the command that follows ``--``; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--loops", type=int, default=20, help="busy processes (%(default)s)")
    parser.add_argument("--nice", type=int, default=5, help="their niceness (%(default)s)")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args(arguments)
    with busy_machine(options.loops, options.nice):
        return run_to_end(options.command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
