"""Names for the tools of servers that know nothing of each other, or of the model's rules."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from ..tools.tool import Tool

_MOST_LETTERS = 64


class Server(Protocol):
    """Something that has tools, and a name of its own."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def tools(self) -> Sequence[Tool]:
        """Its tools; their names differ."""
        ...


def safe_names(names: Iterable[str], prefix: str | None = None) -> list[str]:
    """Return names that the model's API takes, no two alike, in the same order.

    What is no letter, digit, ``_`` or ``-`` becomes ``_``. Where two become one, or one is too
    long, the later one is numbered.
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
    """Return the tools of several servers; those that share a name get their server's before it."""
    together = [(server.name, tool) for server in servers for tool in server.tools]
    often = Counter(tool.name for _, tool in together)
    names = [
        f"{server}_{tool.name}" if often[tool.name] > 1 else tool.name for server, tool in together
    ]
    return [
        replace(tool, name=name)
        for name, (_, tool) in zip(safe_names(names), together, strict=True)
    ]
