"""Names for the tools of independent servers, as the model's API accepts them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from ..tools.tool import Tool

_MOST_LETTERS = 64


class Server(Protocol):
    """A server: its name, and its tools."""

    @property
    def name(self) -> str:
        """Name of the server."""
        ...

    @property
    def tools(self) -> Sequence[Tool]:
        """Tools of the server; their names differ."""
        ...


def safe_names(names: Iterable[str], prefix: str | None = None) -> list[str]:
    """Return distinct names that the model's API accepts, in the same order.

    A character that is no letter, digit, ``_`` or ``-`` becomes ``_``. If two names become equal,
    or one is too long, the later one is numbered.
    """
    taken: set[str] = set()
    safe = []
    for name in names:
        wanted = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{prefix}_{name}" if prefix else name) or "_"
        chosen = wanted[:_MOST_LETTERS]
        number = 1
        while chosen in taken:
            number += 1
            chosen = f"{wanted[: _MOST_LETTERS - len(f'_{number}')]}_{number}"
        taken.add(chosen)
        safe.append(chosen)
    return safe


def without_clashes(servers: Iterable[Server]) -> list[Tool]:
    """Return the tools of several servers; tools of equal names get their server's as a prefix."""
    together = [(server.name, tool) for server in servers for tool in server.tools]
    often = Counter(tool.name for _, tool in together)
    names = [
        f"{server}_{tool.name}" if often[tool.name] > 1 else tool.name for server, tool in together
    ]
    return [
        replace(tool, name=name)
        for name, (_, tool) in zip(safe_names(names), together, strict=True)
    ]
