"""Replaces methods of a type that is written in C, for all of its objects, also those that exist.

Such a type is marked as immutable, and Python refuses to set its attributes. For the moment in
which one is set the mark is taken away: what holds the type's methods and its caches is then kept
right by the interpreter itself.

Invariant: the mark is only touched where it is found, in the flags that the type itself tells. A
type that is laid out otherwise is left as it is.

Not reached are methods that were bound before (``acquire = lock.acquire``), and C code, which does
not look its own functions up.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_IMMUTABLE = 1 << 8
_FLAGS_OFFSET = object.__basicsize__ + 19 * ctypes.sizeof(ctypes.c_void_p)
"""Where CPython's ``PyTypeObject`` has ``tp_flags``: 19 fields behind its header."""


def can_be_replaced(kind: type) -> bool:
    """Say whether methods of ``kind`` can be replaced."""
    if sys.implementation.name != "cpython":
        return False
    return _flags_of(kind).value == kind.__flags__


@contextmanager
def methods_replaced(kind: type, methods: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Give all objects of ``kind`` other methods inside the scope, and their own after it.

    Args:
        kind: A type, as a rule one that is written in C.
        methods: By name; each takes the object first.
    """
    if not can_be_replaced(kind):
        yield
        return
    originals = {name: vars(kind)[name] for name in methods}
    try:
        _set(kind, methods)
        yield
    finally:
        _set(kind, originals)


def _set(kind: type, methods: Mapping[str, Any]) -> None:
    flags = _flags_of(kind)
    marked = flags.value & _IMMUTABLE
    flags.value &= ~_IMMUTABLE
    try:
        for name, method in methods.items():
            setattr(kind, name, method)
    finally:
        flags.value |= marked


def _flags_of(kind: type) -> ctypes.c_ulong:
    return ctypes.c_ulong.from_address(id(kind) + _FLAGS_OFFSET)
