"""The cell: one combination of the factors at one load, and its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ...mocks.transports.registry import RESPX
from .formatting import counted, whole
from .formatting import name as shown

NO_LOOP = "none"
"""The loop of a cell whose strategy runs without one."""

# A scenario may be the path of a file; the other parts hold no slash.
_NAME = re.compile(
    r"(?P<scenario>.+)/(?P<target>[^/]+)/(?P<strategy>[^/@]+)/(?P<loop>[^/@]+)@(?P<load>[1-9]\d{0,5})"
)
_FACTOR = "factor"
_CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """What a report says of a factor in which the cells of a run differ.

    Only cells that agree in these compete with each other.

    Attributes:
        heading: What stands above its column.
        explanation: What it means, in a sentence.
        text: Shows a value in its column.
        phrase: Names a value where it sets cells apart: ``seed 7``.
        before: What stands before that in a sentence: ``over`` loopback, ``in`` 2 processes.
        is_name: Whether a value is a text rather than a number.
    """

    heading: str
    explanation: str
    text: Callable[[Any], str] = shown
    phrase: Callable[[Any], str] = str
    before: str = "with"
    is_name: bool = True


def _factor(heading: str, explanation: str, **more: Any) -> dict[str, Factor]:
    return {_FACTOR: Factor(heading=heading, explanation=explanation, **more)}


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

    A factor that an option varies is a field with a ``Factor``; its default is the usual value,
    which goes without saying in names.

    Attributes:
        scenario: Name of the scenario.
        target: The target as it was named (``agent``, ``module:factory``, ``asgi:module:app``).
        strategy: Name of the strategy.
        loop: Name of the event loop, or ``none`` for a strategy that runs without one.
        transport: How the model is reached; ``respx`` is in-process.
        arrivals: When sessions arrive, as ``arrivals`` writes it: ``closed``, ``poisson:20``.
        clock: How time passes.
        concurrency: Sessions in flight at most.
        session_count: Sessions in all.
        tool_workers: Threads for blocking tools that the target is handed.
        seed: Seed of the script.
        processes: Over how many processes its sessions are shared out.
        split_limits: Whether each of several processes has its part of a limit that sessions share.
        workers: Workers that a service as deployed is told to have; 0 for any other target.
        one_at_a_time: Whether the strategy has one session in flight, whatever the load: that
            follows from the strategy, and stands here for reports, which know no strategies.
    """

    scenario: str
    target: str = field(metadata=_factor("target", "The agent under test."))
    strategy: str
    loop: str
    transport: str = field(
        default=RESPX.name,
        metadata=_factor("transport", "How the model is reached.", before="over"),
    )
    arrivals: str = field(
        default=_CLOSED,
        metadata=_factor(
            "arrivals",
            "When sessions arrive, in sessions per second.",
            phrase=lambda arrivals: "closed loop" if arrivals == _CLOSED else arrivals,
            before="with arrivals",
        ),
    )
    clock: ClockMode = field(
        metadata=_factor("clock", "How time passes.", phrase=lambda clock: f"{clock} clock")
    )
    concurrency: int
    session_count: int
    tool_workers: int = field(
        metadata=_factor(
            "workers",
            "Threads for blocking tools.",
            text=whole,
            phrase=lambda count: f"{count} tool workers",
            is_name=False,
        )
    )
    seed: int = field(
        metadata=_factor(
            "seed",
            "Seed of the script.",
            text=str,
            phrase=lambda seed: f"seed {seed}",
            is_name=False,
        )
    )
    processes: int = field(
        default=1,
        metadata=_factor(
            "processes",
            "Processes that share the sessions, each with a clock and a strategy of its own.",
            text=whole,
            phrase=lambda count: counted(count, "process", plural="processes"),
            before="in",
            is_name=False,
        ),
    )
    split_limits: bool = False
    workers: int = field(
        default=0,
        metadata=_factor(
            "workers",
            "Workers that the command of the service is told to have.",
            text=whole,
            phrase=lambda count: counted(count, "worker"),
            is_name=False,
        ),
    )
    one_at_a_time: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        """Its name, as it is shown and asked for: ``tools/agent/gather/asyncio@10``."""
        return str(CellName(self.scenario, self.target, self.strategy, self.loop, self.concurrency))

    @property
    def full_name(self) -> str:
        """A name that no other cell of a run has: ``tools/agent/gather/uvloop@100 (warp)``.

        Transport and arrivals are named where they are not the usual ones.
        """
        return f"{self.name} ({', '.join([self.clock, *self.unusual.values()])})"

    @property
    def is_open_loop(self) -> bool:
        """Whether sessions arrive by a plan, whoever serves them."""
        return self.arrivals != _CLOSED

    @property
    def unusual(self) -> Mapping[str, str]:
        """The factors that have a usual value and do not have it here, by name."""
        return {
            factor: FACTORS[factor].phrase(getattr(self, factor))
            for factor, usual in _USUAL.items()
            if getattr(self, factor) != usual
        }


FACTORS: Mapping[str, Factor] = {
    part.name: part.metadata[_FACTOR] for part in fields(Cell) if _FACTOR in part.metadata
}
"""The factors that set cells apart, by the name of their field, in the order of showing them."""

_USUAL = {
    part.name: part.default
    for part in fields(Cell)
    if part.name in FACTORS and part.default is not MISSING
}

_OPTION_OF = {"session_count": "sessions"}

IDENTITY: Mapping[str, str] = {
    _OPTION_OF.get(part.name, part.name).replace("_", "-"): part.name
    for part in fields(Cell)
    if part.compare
}
"""All that makes a cell that cell, as options call it: the name of its field by each of them."""
