"""Keeps secrets out of all that leaves the program: files, standard output, and errors.

Values are redacted where they go into a file or a view, so that nothing is cut, wrapped or escaped
yet; whatever text is printed or written besides is redacted once more on its way out. A secret is
known by the name that it has in the environment (``mocks/sandbox.py``), or by what it looks like
(``secret_patterns``). Numbers are left alone: a run of millions of them is as quick to write.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TextIO, TypeVar, cast

from .sandbox import secrets_of
from .secret_patterns import patterns_for

T = TypeVar("T")

REDACTED = "[redacted]"


def redact(text: str, secrets: Iterable[str] | None = None) -> str:
    """Return a text without the given secrets, and without anything that looks like one.

    Args:
        text: The text.
        secrets: The longest first; by default those of this process's environment.
    """
    for secret in secrets_of(os.environ) if secrets is None else secrets:
        text = text.replace(secret, REDACTED)
    for pattern in patterns_for(text):
        text = pattern.without(text, REDACTED)
    return text


def redacted(value: T, secrets: Iterable[str] | None = None) -> T:
    """Return a value of dataclasses, mappings and sequences with each text in it redacted.

    Whatever holds no secret is the same object as before, and a column of numbers is not looked
    at but for its first.
    """
    known = tuple(secrets_of(os.environ) if secrets is None else secrets)
    return cast("T", _Redaction(known).of(value))


class RedactedStream:
    """A text stream that redacts each text that is written to it, and is the other else.

    What is written in one piece is searched in one piece: ``print``, and rich, write a line or more
    at a time.

    Args:
        stream: Where the texts go.
        secrets: As for ``redact``.
    """

    def __init__(self, stream: TextIO, secrets: tuple[str, ...]) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        """Write a text without its secrets; return the length of the text."""
        self._stream.write(redact(text, self._secrets))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, searched as one."""
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redact_what_is_printed() -> None:
    """Let nothing that Python code prints in this process from now on show a secret.

    To be called while the environment still holds them. What a child process prints, or what is
    written to the descriptor, is not seen; neither knows those secrets.
    """
    secrets = secrets_of(os.environ)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, RedactedStream(stream, secrets))


class _Redaction:
    """One pass over a value; a text that was seen before is not searched again."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._seen: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if isinstance(value, Enum) else self._text(value)
        if isinstance(value, list | tuple):
            return self._sequence(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._fields(value)
        return value

    def _text(self, text: str) -> str:
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = redact(text, self._secrets)
        return text if found == text else found

    def _sequence(self, values: list[Any] | tuple[Any, ...]) -> Any:
        # A pair of a number and something else is no column.
        if not values or (_is_number(values[0]) and _is_number(values[-1])):
            return values
        new = [self.of(each) for each in values]
        if all(one is other for one, other in zip(new, values, strict=True)):
            return values
        if isinstance(values, list):
            return new
        return type(values)(*new) if hasattr(values, "_fields") else tuple(new)

    def _mapping(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        new = [(self.of(key), self.of(value), key, value) for key, value in values.items()]
        if all(key is old_key and value is old for key, value, old_key, old in new):
            return values
        return {key: value for key, value, _, _ in new}

    def _fields(self, value: Any) -> Any:
        changed: dict[str, Any] = {}
        for field in fields(value):
            old = getattr(value, field.name)
            new = self.of(old)
            if new is not old:
                changed[field.name] = new
        return replace(value, **changed) if changed else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Enum)
