"""Puts the event loops that code makes for itself on the clock of the scope.

A sync agent runs its async part on a loop of its own: one from ``asyncio.run``, from the event
loop policy, or made by the name of its class, in whatever thread. Each of them would wait in real
time, in a system call that the clock cannot see.

- A loop that asyncio chooses (``asyncio.run``, ``asyncio.new_event_loop``, its policies) is of the
  kind that the scope is given: that of the cell.
- A loop that is made by name (``asyncio.SelectorEventLoop()``, ``uvloop.new_event_loop()``, a
  subclass of either, uvloop's policy) stays what it is, and parks at the clock. It changes its
  class as it is made, since the name may have been bound long before the scope.

The loop that a policy keeps for a thread is hidden in the scope: it was made before, and waits in
real time. A thread that the clock does not know makes its loops as ever.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvloop

from ..patching import patched
from ..skipping import SkippingClock
from .asyncio_loop import SkippingEventLoop
from .uvloop_loop import SkippingUvloop

NewLoop = Callable[[], asyncio.AbstractEventLoop]

# Python 3.14 renamed it.
_POLICY_NAMES = ("BaseDefaultEventLoopPolicy", "_BaseDefaultEventLoopPolicy")
_Policy: Any = next(
    getattr(asyncio.events, name) for name in _POLICY_NAMES if hasattr(asyncio.events, name)
)


@contextmanager
def chosen_loops(new_loop: NewLoop) -> Iterator[None]:
    """Let asyncio and its policies make their loops by ``new_loop`` in this scope."""
    with ExitStack() as patches:
        for owner in (asyncio.events, asyncio):
            patches.enter_context(patched(owner, "new_event_loop", new_loop))
        patches.enter_context(patched(_Policy, "new_event_loop", lambda _policy: new_loop()))
        yield


@contextmanager
def loops_on_clock(clock: SkippingClock, new_loop: NewLoop) -> Iterator[None]:
    """Put each loop that a participant makes in this scope on ``clock``.

    Args:
        clock: The clock of the scope.
        new_loop: Makes those that asyncio chooses.
    """
    real_new_loop = asyncio.events.new_event_loop
    real_policy_new_loop = _Policy.new_event_loop

    def chosen() -> asyncio.AbstractEventLoop:
        return real_new_loop() if clock.current() is None else new_loop()

    def chosen_by_policy(policy: Any) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = (
            real_policy_new_loop(policy) if clock.current() is None else new_loop()
        )
        return loop

    policy: Any = _policy_in_force()
    with ExitStack() as patches:
        for owner in (asyncio.events, asyncio):
            patches.enter_context(patched(owner, "new_event_loop", chosen))
        patches.enter_context(patched(_Policy, "new_event_loop", chosen_by_policy))
        if hasattr(policy, "_local"):  # asyncio's and uvloop's
            patches.enter_context(patched(policy, "_local", type(policy._local)()))
        for named, skipping in _BY_NAME.items():
            replacement = _init_on(clock, named, skipping)
            patches.enter_context(patched(named, "__init__", replacement))
        yield


_BY_NAME: dict[type[Any], type[Any]] = {
    asyncio.SelectorEventLoop: SkippingEventLoop,
    uvloop.Loop: SkippingUvloop,
}


def _init_on(clock: SkippingClock, named: type[Any], skipping: type[Any]) -> Callable[..., None]:
    """Return what initialises a loop of the class ``named``, on the clock if it is to be."""
    real_init = named.__init__

    def initialise(loop: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(loop, skipping) or clock.current() is None:
            real_init(loop, *args, **kwargs)
            return
        loop.__class__ = _on_clock(type(loop), named, skipping)
        skipping.__init__(loop, clock)

    return initialise


def _on_clock(made: type[Any], named: type[Any], skipping: type[Any]) -> type[Any]:
    """Return the class of a loop that is of the class ``made``, and on a clock."""
    if made is named:
        return skipping
    return type(made.__name__, (made, skipping), {"__module__": made.__module__})


def _policy_in_force() -> object:
    get: Callable[[], object] = getattr(
        asyncio.events, "_get_event_loop_policy", asyncio.events.get_event_loop_policy
    )
    return get()
