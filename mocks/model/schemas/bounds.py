"""The bounds that several parts of a schema set together."""

from collections.abc import Iterable, Sequence
from typing import Any

from .document import Part


def greatest(parts: Iterable[Part], keyword: str, default: Any) -> Any:
    """Return the greatest value of a keyword in the parts."""
    return max((part.schema[keyword] for part in parts if keyword in part.schema), default=default)


def least(parts: Iterable[Part], keyword: str) -> Any:
    """Return the least value of a keyword in the parts; ``None`` if none has it."""
    return min((part.schema[keyword] for part in parts if keyword in part.schema), default=None)


def place_of(parts: Sequence[Part], *keywords: str) -> str:
    """Return the path of the last of these keywords, or of the first part if none is there."""
    paths = [parts[0].path if parts else "#"]
    for part in parts:
        paths += [f"{part.path}/{keyword}" for keyword in keywords if keyword in part.schema]
    return paths[-1]
