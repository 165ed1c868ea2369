"""The cell: one combination of the factors at one load, and its name."""

import re
from dataclasses import dataclass

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError

NO_LOOP = "none"
"""The loop of a cell whose strategy runs without one."""

# A scenario may be the path of a file; the other parts hold no slash.
_NAME = re.compile(
    r"(?P<scenario>.+)/(?P<target>[^/]+)/(?P<strategy>[^/@]+)/(?P<loop>[^/@]+)@(?P<load>[1-9]\d{0,5})"
)
_USUAL = frozenset({"respx", "closed"})


@dataclass(frozen=True, slots=True)
class CellName:
    """The parts of a cell's name, ``tools/agent/gather/asyncio@10``; see ``Cell``."""

    scenario: str
    target: str
    strategy: str
    loop: str
    concurrency: int

    def __str__(self) -> str:
        return f"{self.scenario}/{self.target}/{self.strategy}/{self.loop}@{self.concurrency}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the factors at one load: the identity of a measurement.

    Attributes:
        scenario: Name of the scenario.
        target: The target as it was named (``agent``, ``bare-sdk``, ``module:attribute``).
        strategy: Name of the strategy.
        loop: Name of the event loop, or ``none`` for a strategy that runs without one.
        transport: How the model is reached; ``respx`` is in-process.
        clock: How time passes.
        concurrency: Sessions in flight at most; ``sync`` has one, whatever the load.
        session_count: Sessions in all.
        seed: Seed of the script.
        tool_workers: Threads for blocking tools that the target is handed.
        arrivals: When sessions arrive, as ``arrivals`` writes it: ``closed``, ``poisson:20``.
    """

    scenario: str
    target: str
    strategy: str
    loop: str
    transport: str
    clock: ClockMode
    concurrency: int
    session_count: int
    seed: int
    tool_workers: int
    arrivals: str = "closed"

    @property
    def name(self) -> str:
        """Its name, as it is shown and asked for: ``tools/agent/gather/asyncio@10``."""
        return str(CellName(self.scenario, self.target, self.strategy, self.loop, self.concurrency))

    @property
    def full_name(self) -> str:
        """A name that no other cell of a run has: ``tools/agent/gather/uvloop@100 (warp)``.

        Transport and arrivals are named where they are not the usual ones.
        """
        more = (each for each in (self.transport, self.arrivals) if each not in _USUAL)
        return f"{self.name} ({', '.join([self.clock, *more])})"
