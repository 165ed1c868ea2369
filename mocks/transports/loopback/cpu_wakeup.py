"""Keeps a machine's cores from falling asleep between two answers.

An idle core sleeps, and has to be woken when a timer fires or bytes come: that takes microseconds
on a machine of one's own, and milliseconds on a shared one, in one case of a hundred. A model on
another machine knows nothing of it. Linux lets a program say how late a wake-up may be (PM QoS,
https://docs.kernel.org/power/pm_qos_interface.html): while a file is open that says 0, idle cores
look out instead of sleeping. cyclictest measures latencies in the same way.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

_LATENCY_FILE = "/dev/cpu_dma_latency"
_NONE_US = struct.pack("i", 0)


@contextmanager
def kept_awake() -> Iterator[bool]:
    """Keep the cores awake in this scope, where the system has the file and allows writing to it.

    Yields:
        Whether the cores are kept awake.
    """
    request = _requested()
    try:
        yield request is not None
    finally:
        if request is not None:
            os.close(request)


def _requested() -> int | None:
    """Return the file descriptor that holds the request, if it is granted."""
    try:
        # Not opened as files are for writing: if the file is missing, none is to be created.
        request = os.open(_LATENCY_FILE, os.O_WRONLY)
    except OSError:
        return None
    try:
        os.write(request, _NONE_US)
    except OSError:
        os.close(request)
        return None
    return request
