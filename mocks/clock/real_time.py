"""Functions of ``time`` that stay real, whatever keeps the process's time.

The lab's own instruments, and the clock itself, read time and sleep by these. A name bound by
``from time import …`` would not do: in a clock's scope that, too, shows the clock. And what a
test has frozen around the lab may have been replaced before this module was imported. So they
come from another instance of the module ``time``, which nobody else holds.
"""

import ctypes
import importlib.util
import time
from importlib.machinery import BuiltinImporter
from types import ModuleType
from typing import TYPE_CHECKING

_NANOSECONDS_PER_SECOND = 1_000_000_000


class _Timespec(ctypes.Structure):
    """The C library's ``timespec``."""

    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


def _another_instance() -> ModuleType:
    spec = BuiltinImporter.find_spec("time")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    _real = time
else:
    _real = _another_instance()

real_asctime = _real.asctime
real_clock_gettime = _real.clock_gettime
real_clock_gettime_ns = _real.clock_gettime_ns
real_ctime = _real.ctime
real_monotonic = _real.monotonic
real_monotonic_ns = _real.monotonic_ns
real_perf_counter = _real.perf_counter
real_perf_counter_ns = _real.perf_counter_ns
real_sleep = _real.sleep

_libc_clock_gettime = ctypes.CDLL(None).clock_gettime


def real_time_ns() -> int:
    """Return the system's date, in nanoseconds since 1970.

    Asked of the system: ``time_machine`` changes the code of ``time.time_ns`` in all instances.
    """
    now = _Timespec()
    _libc_clock_gettime(time.CLOCK_REALTIME, ctypes.byref(now))
    return int(now.tv_sec) * _NANOSECONDS_PER_SECOND + int(now.tv_nsec)
