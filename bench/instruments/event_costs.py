"""What the accounting costs, in CPU time: measured before a trial, on its machine and clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from ...mocks.clock import Clock
from ...mocks.clock.own_waits import SLEEP
from ...mocks.observe.meter import Meter
from ...mocks.observe.session import SESSION, SessionScope
from ...mocks.observe.traffic import Traffic
from .own_wait_meter import OwnWaitMeter
from .vitals import VitalsRecorder

_EVENTS = 20
_BATCHES = 5
_USERS_FILE = "/session.py"
_WAITING = "def wait(parks, goes_on, what, due_ns): goes_on(parks(what, due_ns))"


@dataclass(frozen=True, slots=True)
class Costs:
    """What the accounting costs, in nanoseconds of CPU.

    Attributes:
        event_ns: Noting one wait; noting a session costs less.
        iteration_ns: Following one iteration of an event loop.
    """

    event_ns: float = 0.0
    iteration_ns: float = 0.0


def costs_of(clock: Clock) -> Costs:
    """Measure them: it depends on the machine and on the clock."""
    noting_ns = _cost_of_a_call_ns(Traffic(Meter(clock, accounts_cpu=True)), clock)
    bare_ns = _cost_of_a_call_ns(Traffic(), clock)
    return Costs(max(0.0, noting_ns - bare_ns), _cost_of_an_iteration_ns(clock))


def _cost_of_a_call_ns(traffic: Traffic, clock: Clock) -> float:
    now_ns = clock.now_ns()

    def call() -> None:
        with traffic.tool_call(0, 0, 0, "", now_ns) as wait:
            wait.waits_until(now_ns)
            wait.taken_up()

    return _cost_ns(call)


def _cost_of_an_iteration_ns(clock: Clock) -> float:
    observer = VitalsRecorder(clock)

    def iterate() -> None:
        observer.runs()
        observer.polls()

    return _cost_ns(iterate)


def cost_of_an_own_wait_ns(clock: Clock) -> float:
    """Measure what to note a wait of a session's own code costs: below a function that is nobody's.

    The place of the lab's own functions would not be looked for.
    """
    meter = OwnWaitMeter(clock.now_ns)
    functions: dict[str, Callable[..., None]] = {}
    exec(compile(_WAITING, _USERS_FILE, "exec"), functions)  # noqa: S102 (the text is below)
    now_ns, wait = clock.now_ns(), functions["wait"]
    token = SESSION.set(SessionScope(0))
    try:
        return _cost_ns(lambda: wait(meter.thread_parks, meter.thread_goes_on, SLEEP, now_ns))
    finally:
        SESSION.reset(token)


def _cost_ns(work: Callable[[], None]) -> float:
    """Return the CPU time of a call, in nanoseconds: the median of a few batches of them."""
    batches = []
    for _ in range(_BATCHES):
        before_ns = time.thread_time_ns()
        for _ in range(_EVENTS):
            work()
        batches.append((time.thread_time_ns() - before_ns) / _EVENTS)
    return median(batches)
