"""The process of a server: reads its world from standard input, and ends when the input ends."""

import logging
import os
import pickle
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from .cpu_wakeup import kept_awake
from .serving import bound_socket, serve
from .wall_timer import PreciseWallClock

if TYPE_CHECKING:
    from ...world.world import WorldSpec


def main() -> None:
    """Serve a world on a free port of loopback, which is written to standard output."""
    # Faults break connections on purpose, so log nothing about them.
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False
    spec: WorldSpec = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    listening = bound_socket("127.0.0.1", 0)

    threading.Thread(target=end_with_parent, name="end-with-parent", daemon=True).start()
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    with kept_awake(), closing(PreciseWallClock()) as clock:
        serve(spec.world(clock), listening)


def end_with_parent() -> None:
    """End this process once its input ends.

    At once: no answer is awaited any more, and nothing is to be written. For uvicorn to notice, and
    for the interpreter to take down what it has imported, each trial would wait 0.2 s.
    """
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
