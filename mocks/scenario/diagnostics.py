"""Errors of declared values: where the value is, what was expected, what was found."""

import math
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NoReturn

from ..errors import ScenarioError
from ..redaction import redact

_MOST_SHOWN = 60


class DeclarationError(ScenarioError, ValueError):
    """A declared value cannot be used.

    The error is a ``ValueError`` too, since that is what a pydantic validator may raise.

    Attributes:
        problem: What was expected, and what was found.
        path: Keys and indexes that lead to the value, from where reading started.
    """

    def __init__(self, problem: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{dotted(path)}: {problem}" if path else problem)
        self.problem = problem
        self.path = path

    def below(self, *path: str | int) -> "DeclarationError":
        """Return the error with a longer path: the keys above the value come first."""
        return DeclarationError(self.problem, (*path, *self.path))


def refuse(expected: str, found: object, *path: str | int) -> NoReturn:
    """Refuse the value at a path.

    Raises:
        DeclarationError: Always.
    """
    raise DeclarationError(f"expected {expected}, found {found}", path)


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as in a TOML file: ``rounds[1].tools[0].tool``."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part):
            written += f".{part}"
        else:
            written += f"[{shown(part)}]"
    return written.removeprefix(".")


def shown(value: object) -> str:
    """Return a found value as one short line, in the terms of TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 64:  # noqa: PLR2004 - longer ones fill the line
            return f"an integer of {value.bit_length()} bits"
        case str() if len(value) > _MOST_SHOWN:
            # Half a secret would no longer look like one.
            return repr(redact(value)[:_MOST_SHOWN] + "…")
        case int() | float() | str():
            return repr(value)
    named = {Mapping: "a table", list: "an array", tuple: "an array"}
    kinds = (name for kind, name in named.items() if isinstance(value, kind))
    return next(kinds, f"a {type(value).__name__}")


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return words as a list in a sentence: ``a, b or c``."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def unknown(word: str, known: Iterable[str]) -> str:
    """Return an unknown word, with the most similar known one."""
    close = get_close_matches(word, list(known), n=1)
    return shown(word) + (f" (did you mean {close[0]!r}?)" if close else "")


def invalid(what: str, found: object, path: tuple[str | int, ...] = ()) -> DeclarationError:
    """Return the error of an unexpected value, to be raised."""
    return DeclarationError(f"expected {what}, found {shown(found)}", path)


def number(value: object, key: str | None = None) -> float:
    """Return a finite number of TOML as a float.

    Raises:
        DeclarationError: The value is something else; the path is the key, if given.
    """
    path = () if key is None else (key,)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid("a number", value, path)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise invalid("a finite number", value, path)
    return result


def require(holds: bool, what: str, found: object, *path: str) -> None:
    """Refuse a value for which a condition does not hold, and a float that is not finite.

    Args:
        holds: Whether the condition does.
        what: What was expected.
        found: The value.
        path: Where it is.

    Raises:
        DeclarationError: The value is refused.
    """
    if not holds or (isinstance(found, float) and not math.isfinite(found)):
        raise invalid(what, found, path)
