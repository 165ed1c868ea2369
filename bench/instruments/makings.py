"""Notes which objects of some classes are made, and where, without keeping them alive."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import FrameType
from typing import Any, NamedTuple
from weakref import ref

from ...mocks.clock.patching import patched
from .code_origin import Origin, caller_of, origin_of


class Made(NamedTuple):
    """An object that was made.

    Attributes:
        object: The object.
        place: The line of the user's code that made it; empty if there is none.
        size: What ``size_of`` said of it then.
    """

    object: Any
    place: str
    size: int


Noted = tuple[tuple[ref[Any], str, int], ...]
"""What was noted: each object, which may live no more, with the place and its size."""


class Makings:
    """The objects that were made in the scopes of ``noted``.

    Those that the lab makes itself are left out.

    Args:
        part: What is noted of an object: itself, or a part of it that may live longer.
        size_of: Tells its size when it was made.
    """

    def __init__(
        self,
        part: Callable[[Any], Any] = lambda made: made,
        size_of: Callable[[Any], int] = lambda _made: 0,
    ) -> None:
        self._part = part
        self._size_of = size_of
        # A list, which needs no finaliser: when one runs is up to the garbage collector.
        self._noted: list[tuple[ref[Any], str, int]] = []

    @contextmanager
    def noted(self, *classes: type[Any]) -> Iterator[None]:
        """Note what is made of these classes, and of those derived from them, in this scope."""
        with ExitStack() as patches:
            for each in classes:
                patches.enter_context(patched(each, "__init__", self._noting(each.__init__)))
            yield

    def alive(self) -> Iterator[Made]:
        """Yield what still lives of all that was noted, in the order in which it was made."""
        for refers, place, size in self._noted:
            made = refers()
            if made is not None:
                yield Made(made, place, size)

    @property
    def noted_so_far(self) -> Noted:
        """What was noted, for other makings to know."""
        return tuple(self._noted)

    def know(self, noted: Noted) -> None:
        """Take up what other makings have noted."""
        self._noted.extend(noted)

    def forget(self) -> None:
        """Forget what was noted so far."""
        self._noted.clear()

    def _noting(self, real_init: Callable[..., None]) -> Callable[..., None]:
        @wraps(real_init)
        def init(made: Any, *args: Any, **kwargs: Any) -> None:
            real_init(made, *args, **kwargs)
            maker = sys._getframe(1)
            if not _is_labs(maker):
                self._noted.append((ref(self._part(made)), caller_of(maker), self._size_of(made)))

        return init


def _is_labs(frame: FrameType | None) -> bool:
    """Say whether the lab makes what is made here, by whatever class of others."""
    while frame is not None:
        origin = origin_of(frame.f_code.co_filename)
        if origin in {Origin.OWN, Origin.LAB}:
            return origin is Origin.LAB
        if frame.f_code.co_name != "__init__":
            return False
        frame = frame.f_back
    return False
