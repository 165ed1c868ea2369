"""Values as JSON text, made at msgspec's speed, with no number in it that JSON cannot hold."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

_NULL = b"null"


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
    if found is None and _has_null_in_a_list(text):
        found = first_non_finite(msgspec.to_builtins(value), key)
    if found is not None:
        raise ValueError(f"{found} is not a finite number; a results file cannot hold it")
    return text


def encoded_by_lines(value: object) -> Iterator[bytes]:
    """Yield a dataclass as JSON with a line for each field, and for each value of a list in one.

    In pieces, since a run may have a hundred megabytes: to put them together takes as long again.

    Raises:
        ValueError: As ``encoded``.
    """
    assert is_dataclass(value)
    before = b"{\n"
    for field in fields(value):
        yield before + b'  "' + field.name.encode() + b'": '
        yield from _in_lines(getattr(value, field.name), field.name)
        before = b",\n"
    yield b"\n}\n"


def json_text(document: object) -> str:
    """Return a document of JSON's shape as text that may be printed: no character in it steers.

    Letters stay as they are.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return "".join(
        each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text
    )


def first_non_finite(value: object, key: str = "", most: float = math.inf) -> str | None:
    """Return the key of the first NaN or infinity in a document of JSON's shape, or ``None``.

    Args:
        value: The document.
        key: Where it stands.
        most: The greatest number that is taken for one; computing with greater ones may overflow.
    """
    if isinstance(value, float):
        return None if math.isfinite(value) and abs(value) <= most else key
    if isinstance(value, int):
        return None if abs(value) <= most else key
    children: Sequence[tuple[object, object]]
    if isinstance(value, Mapping):
        children = list(value.items())
    elif isinstance(value, list | tuple):
        children = list(enumerate(value))
    else:
        return None
    for name, child in children:
        found = first_non_finite(child, _below(key, name), most)
        if found is not None:
            return found
    return None


def _in_lines(value: object, key: str) -> Iterator[bytes]:
    if not (isinstance(value, tuple) and value and is_dataclass(value[0])):
        yield encoded(value, key)
        return
    before = b"[\n    "
    for number, each in enumerate(value):
        yield before
        yield encoded(each, _below(key, number))
        before = b",\n    "
    yield b"\n  ]"


def _has_null_in_a_list(text: bytes) -> bool:
    at = text.find(_NULL)
    while at > 0:
        if text[at - 1] in b"[,":
            return True
        at = text.find(_NULL, at + len(_NULL))
    return False


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
