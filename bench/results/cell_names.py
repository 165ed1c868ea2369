"""Names of cells, as they are shown and asked for: ``tools/agent/gather/asyncio@10``."""

import re
from dataclasses import dataclass
from typing import Protocol

from ...mocks.errors import UsageError

# A scenario may be the path of a file; the other parts hold no slash.
_NAME = re.compile(
    r"(?P<scenario>.+)/(?P<target>[^/]+)/(?P<strategy>[^/@]+)/(?P<loop>[^/@]+)@(?P<load>[1-9]\d{0,5})"
)

_USUAL = frozenset({"respx", "closed"})


class Named(Protocol):
    """What a cell is named by."""

    @property
    def scenario(self) -> str: ...  # noqa: D102 - see ``record.Cell``
    @property
    def target(self) -> str: ...  # noqa: D102
    @property
    def strategy(self) -> str: ...  # noqa: D102
    @property
    def loop(self) -> str: ...  # noqa: D102
    @property
    def concurrency(self) -> int: ...  # noqa: D102


class Varied(Named, Protocol):
    """What sets it apart from others that are named alike."""

    @property
    def clock(self) -> str: ...  # noqa: D102 - see ``record.Cell``
    @property
    def transport(self) -> str: ...  # noqa: D102
    @property
    def arrivals(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class CellName:
    """The parts of a name; see ``record.Cell``."""

    scenario: str
    target: str
    strategy: str
    loop: str
    concurrency: int


def name_of(cell: Named) -> str:
    """Return the name of a cell."""
    return f"{cell.scenario}/{cell.target}/{cell.strategy}/{cell.loop}@{cell.concurrency}"


def full_name_of(cell: Varied) -> str:
    """Return a name that no other cell of a run has: ``tools/agent/gather/uvloop@100 (warp)``.

    Transport and arrivals are named where they are not the usual ones.
    """
    more = (each for each in (cell.transport, cell.arrivals) if each not in _USUAL)
    return f"{name_of(cell)} ({', '.join([cell.clock, *more])})"


def parse_cell_name(name: str) -> CellName:
    """Return the parts of a name.

    Raises:
        UsageError: It is not the name of a cell.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise UsageError(
            f"cell {name!r}: expected SCENARIO/TARGET/STRATEGY/LOOP@CONCURRENCY, as in "
            "tools/agent/gather/asyncio@10"
        )
    scenario, target, strategy, loop, load = match.groups()
    return CellName(scenario, target, strategy, loop, int(load))
