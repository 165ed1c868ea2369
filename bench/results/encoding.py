"""Values as JSON text, made at msgspec's speed, with no number in it that JSON cannot hold."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

_NULL_IN_LIST = (b"[null", b",null")


def encoded(value: object, key: str = "") -> bytes:
    """Return a value of dataclasses, mappings, sequences and plain values as JSON.

    Args:
        value: The value.
        key: Where it stands in its document; errors begin with it.

    Raises:
        ValueError: A number is NaN or infinite. JSON has no word for either, and such a number
            is a fault of whoever computed it; the message names its key.
    """
    text = _text_of(value)
    found = _non_finite_in_fields(value, key)
    # A column of numbers is searched as text: a list holds no null but for such a number.
    if found is None and any(null in text for null in _NULL_IN_LIST):
        found = first_non_finite(msgspec.to_builtins(value), key)
    if found is not None:
        raise ValueError(f"{found} is not a finite number; a results file cannot hold it")
    return text


def encoded_by_lines(value: object) -> bytes:
    """Return a dataclass as JSON with a line for each field, and for each value of a list in one.

    Raises:
        ValueError: As ``encoded``.
    """
    assert is_dataclass(value)
    lines = []
    for field in fields(value):
        part = getattr(value, field.name)
        lines.append(b'  "' + field.name.encode() + b'": ' + _in_lines(part, field.name))
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def first_non_finite(value: object, key: str = "") -> str | None:
    """Return the key of the first NaN or infinity in a document of JSON's shape, or ``None``."""
    if isinstance(value, float):
        return None if math.isfinite(value) else key
    children: Sequence[tuple[object, object]]
    if isinstance(value, Mapping):
        children = list(value.items())
    elif isinstance(value, list | tuple):
        children = list(enumerate(value))
    else:
        return None
    for name, child in children:
        found = first_non_finite(child, _below(key, name))
        if found is not None:
            return found
    return None


def _in_lines(value: object, key: str) -> bytes:
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        lines = [encoded(each, _below(key, number)) for number, each in enumerate(value)]
        return b"[\n    " + b",\n    ".join(lines) + b"\n  ]"
    return encoded(value, key)


def _text_of(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # A session's error may quote bytes that are no text; such characters become "?".
        built: Any = msgspec.to_builtins(value)
        text = json.dumps(built, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", errors="replace")


def _non_finite_in_fields(value: object, key: str) -> str | None:
    """Look at the fields of values, however deep, and at no column of plain values."""
    if isinstance(value, float):
        return None if math.isfinite(value) else key
    children: Sequence[tuple[object, object]]
    if is_dataclass(value):
        children = [(field.name, getattr(value, field.name)) for field in fields(value)]
    elif isinstance(value, Mapping):
        children = list(value.items())
    elif isinstance(value, list | tuple) and value and is_dataclass(value[0]):
        children = list(enumerate(value))
    else:
        return None
    for name, child in children:
        found = _non_finite_in_fields(child, _below(key, name))
        if found is not None:
            return found
    return None


def _below(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)
