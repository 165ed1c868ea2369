"""Time: one clock, three ways to run it.

Read ``protocol`` for what a clock is, ``skipping`` for how time can be skipped without
racing anything (with ``participants`` for who waits, and ``threads.known`` for who might
race it), then ``warp`` and ``virtual`` for the two ways of doing so.
"""

from .protocol import (
    NANOSECONDS_PER_SECOND,
    Clock,
    ClockMode,
    LoopObserver,
    NowNs,
    nanoseconds,
    seconds,
)
from .schedule import Choice, Manner, ScheduleSpec
from .scope import keeping_time
from .skipping import SkippingClock, choices_of, is_skipping
from .virtual import VirtualClock
from .wall import WallClock
from .warp import WarpClock

__all__ = [
    "NANOSECONDS_PER_SECOND",
    "Choice",
    "Clock",
    "ClockMode",
    "LoopObserver",
    "Manner",
    "NowNs",
    "ScheduleSpec",
    "SkippingClock",
    "VirtualClock",
    "WallClock",
    "WarpClock",
    "choices_of",
    "create_clock",
    "is_skipping",
    "keeping_time",
    "nanoseconds",
    "seconds",
]

_CLOCKS: dict[ClockMode, type[WallClock | WarpClock | VirtualClock]] = {
    ClockMode.WALL: WallClock,
    ClockMode.WARP: WarpClock,
    ClockMode.VIRTUAL: VirtualClock,
}


def create_clock(mode: ClockMode, schedule: ScheduleSpec | None = None) -> Clock:
    """Return a new clock of the given mode.

    Args:
        mode: The mode.
        schedule: Who goes on of several that could, on the virtual clock.
    """
    if mode is ClockMode.VIRTUAL and schedule is not None:
        return VirtualClock(schedule.schedule())
    return _CLOCKS[mode]()
