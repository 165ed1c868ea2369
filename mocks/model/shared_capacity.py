"""Limits of a model's server that several processes ask, in real time: one server serves them all.

Its state is in a file. Each request of each process reads and writes it under a lock, in the order
in which they get it. Times are those of the machine: the clocks of the processes begin when these
do. A process that ends gives the lock back, however it ends.
"""

import fcntl
from pathlib import Path

import msgspec

from ..clock.real_time import real_monotonic_ns
from ..scenario import ModelLimits
from .rate_limits import NOBODY_ASKED, Admission, Capacity, CapacityState

_STATES = msgspec.json.Decoder(CapacityState)


def begin_shared(path: Path) -> None:
    """Let nobody have asked yet, of the limits in a file; it is made if it is not there.

    Args:
        path: The file.
    """
    path.write_bytes(b"")


class SharedCapacity:
    """Admits requests of this process to a server that others ask, too.

    Args:
        limits: What the server lets through; the same in all processes.
        path: The file in which its state is, made by ``begin_shared``.
    """

    def __init__(self, limits: ModelLimits, path: Path) -> None:
        self._limits = limits
        self._path = path

    def admit(self, now_ns: int, tokens: int, service_ns: int) -> Admission:
        """Admit a request, or refuse it; see ``Capacity``.

        Args:
            now_ns: Not regarded: on this process's clock, which the others do not know.
            tokens: As for ``Capacity``, as is the next.
            service_ns: Likewise.
        """
        del now_ns
        with self._path.open("r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            text = file.read()
            state = _STATES.decode(text) if text else NOBODY_ASKED
            capacity = Capacity(self._limits, state)
            admission = capacity.admit(real_monotonic_ns(), tokens, service_ns)
            file.seek(0)
            file.write(msgspec.json.encode(capacity.state()))
            file.truncate()
        return admission
