"""A name out of those that there are."""

import difflib
from collections.abc import Iterable

from ...mocks.errors import UsageError


def one_of(option: str, value: str, known: Iterable[str]) -> str:
    """Return a value that is known.

    Raises:
        UsageError: It is not; the message names the closest, and all.
    """
    names = list(known)
    if value in names:
        return value
    raise UsageError(f"{option} {not_one_of(value, names)}")


def not_one_of(value: str, known: Iterable[str]) -> str:
    """Return what to say of a value that is not known: the closest that is, and all."""
    names = list(known)
    close = difflib.get_close_matches(value, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{value!r}: {hint}expected one of {', '.join(names)}"
