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


def main(arguments: Sequence[str]) -> int:
    """Run the command that follows ``--``; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--loops", type=int, default=20, help="busy processes (%(default)s)")
    parser.add_argument("--nice", type=int, default=5, help="their niceness (%(default)s)")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with busy_machine(options.loops, options.nice):
        return subprocess.run(options.command, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGINT)
