"""Sends the calls of a function written in C elsewhere, whoever holds it and since when.

To replace ``time.monotonic`` reaches who looks it up there. Not reached are names bound earlier
(``from time import monotonic``), defaults of parameters, attributes of objects, and compiled
modules: they all hold one object. So the object itself is changed: what it calls, and with which
first argument. CPython reads both at each call.

For the length of a scope a function such as ``time.monotonic`` then calls ``PyObject_CallNoArgs``
with a callable instead of its module. No code of ``ctypes`` runs at the calls, and exceptions pass
as ever.

Invariants
----------
1. Nothing is changed in an object that is not laid out as expected, which its name, module and
   flags tell. Such a function is left as it is.
2. Both fields change in one step for other threads: in one copy, under the interpreter's lock.
3. The function owns a reference to the callable, as it does to its module: the garbage collector
   counts it.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, ModuleType
from typing import Any, cast

_CALLS_BY_FLAGS = {
    0x0001: "PyObject_CallObject",  # METH_VARARGS
    0x0004: "PyObject_CallNoArgs",  # METH_NOARGS
    0x0008: "PyObject_CallOneArg",  # METH_O
}
"""What takes a callable, and then the arguments just as a function with such flags does."""


class _MethodDef(ctypes.Structure):
    """CPython's ``PyMethodDef``."""

    _fields_ = (
        ("ml_name", ctypes.c_char_p),
        ("ml_meth", ctypes.c_void_p),
        ("ml_flags", ctypes.c_int),
        ("ml_doc", ctypes.c_char_p),
    )


class _Fields(ctypes.Structure):
    """The first fields of CPython's ``PyCFunctionObject`` behind its header."""

    _fields_ = (
        ("m_ml", ctypes.c_void_p),
        ("m_self", ctypes.c_void_p),
    )


class _Function(ctypes.Structure):
    """What is behind the header of CPython's ``PyCFunctionObject``."""

    _fields_ = (("fields", _Fields),)


@contextmanager
def redirected(function: Callable[..., Any], target: Callable[..., Any]) -> Iterator[None]:
    """Let each call of ``function``, a function of a module, be one of ``target`` in this scope.

    Args:
        function: What is redirected, wherever it is held.
        target: What is called, with the same arguments: positional ones only.
    """
    original = _definition_of(function)
    if original is None:
        yield
        return
    call = ctypes.cast(
        getattr(ctypes.pythonapi, _CALLS_BY_FLAGS[original.ml_flags]), ctypes.c_void_p
    )
    definition = _MethodDef(original.ml_name, call.value, original.ml_flags, original.ml_doc)
    stand_in = _callable_module(function.__module__, target)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(stand_in))
    layout = _layout_of(function)
    before = _Fields(layout.fields.m_ml, layout.fields.m_self)
    layout.fields = _Fields(ctypes.addressof(definition), id(stand_in))
    try:
        yield
    finally:
        layout.fields = before
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(stand_in))


def _callable_module(name: str, target: Callable[..., Any]) -> ModuleType:
    """Return what looks like the function's module, so that its name and form stay."""
    kind = type("CallableModule", (ModuleType,), {"__call__": staticmethod(target)})
    return cast("ModuleType", kind(name))


def _definition_of(function: Callable[..., Any]) -> _MethodDef | None:
    """Return what a function of a module is made of; ``None`` if it is not as expected."""
    if sys.implementation.name != "cpython" or not isinstance(function, BuiltinFunctionType):
        return None
    fields = _layout_of(function).fields
    if fields.m_self != id(function.__self__) or not isinstance(function.__self__, ModuleType):
        return None
    definition = _MethodDef.from_address(fields.m_ml)
    if definition.ml_name != function.__name__.encode():
        return None
    return definition if definition.ml_flags in _CALLS_BY_FLAGS else None


def _layout_of(function: Callable[..., Any]) -> _Function:
    return _Function.from_address(id(function) + object.__basicsize__)
