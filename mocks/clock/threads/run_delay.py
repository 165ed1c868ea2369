"""How long threads of this process were ready to run and got no core: time that was stolen.

Who computes on a busy machine is kept from it again and again. In real time that looks like
waiting, and whoever's code it happened in would be blamed for it.
"""

import os
import threading

_OWN = "/proc/thread-self/schedstat"
_MOST_BYTES = 128


class RunDelays:
    """Adds up the run-queue delay of the threads that ask.

    Where the system keeps no count of it (elsewhere than on Linux), it is 0.
    """

    def __init__(self) -> None:
        self._total_ns = 0
        self._adding = threading.Lock()
        self._here = _Here()

    def total_ns(self) -> int:
        """Return the delay of all threads that have asked, each up to when it did, in nanoseconds.

        What a thread was kept waiting before it first asked is not in it.
        """
        more_ns = self._here.delay.since_last_ns()
        if more_ns:
            with self._adding:
                self._total_ns += more_ns
        return self._total_ns


class _Here(threading.local):
    """The delay of the calling thread."""

    def __init__(self) -> None:
        self.delay = _OwnDelay()


class _OwnDelay:
    """The delay of one thread, read from a file that stays open as long as the thread lives."""

    def __init__(self) -> None:
        self._descriptor: int | None
        try:
            self._descriptor = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = None
        self._last_ns = self._read_ns()

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def since_last_ns(self) -> int:
        delay_ns = self._read_ns()
        more_ns, self._last_ns = delay_ns - self._last_ns, delay_ns
        return more_ns

    def _read_ns(self) -> int:
        if self._descriptor is None:
            return 0
        _, delay_ns, _ = os.pread(self._descriptor, _MOST_BYTES, 0).split()
        return int(delay_ns)
