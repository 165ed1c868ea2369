"""The runs that answer the questions, and what each came to, as values. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .frameworks import Framework

SESSIONS = 20
CONCURRENCY = 20
"""More than the default executor has threads on a small machine, so that tools compete for them."""

TOOL_CALLS = 4 * SESSIONS
"""The scenario `tools` asks for four of them in a session."""

TRIAL_LIMIT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command, `warpbench run`.

    Attributes:
        name: What its result is filed under.
        factory: Which factory of the framework's module is run.
        strategy: How sessions are driven.
        clock: The clock.
        trials: How many trials.
        records: Whether the tools note when they ran.
        threads: How many threads a pool has at least; ``None`` for what it has by itself.
    """

    name: str
    factory: str = "build"
    strategy: str
    clock: str = "virtual"
    trials: int = 1
    records: bool = False
    threads: int | None = None

    def arguments(self, module: str, out: str) -> tuple[str, ...]:
        """Return the arguments of `warpbench`."""
        return (
            *("run", "tools", "--target", f"{module}:{self.factory}"),
            *("--strategy", self.strategy, "--loop", "asyncio"),
            *("--clock", self.clock, "--trials", str(self.trials)),
            *("--sessions", str(SESSIONS), "--concurrency", str(CONCURRENCY)),
            *("--time-limit", f"{TRIAL_LIMIT_S}s", "--out", out, "--json", "--quiet"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of one command.

    Attributes:
        elapsed_s: Real time that it took.
        status: Its exit status; ``None`` if it was ended because it hung.
        run: What it printed: the results file. Empty if it printed none.
        error: The last line that it printed on stderr.
        records: What the tools noted.
    """

    elapsed_s: float
    status: int | None
    run: Mapping[str, Any] = field(default_factory=dict, hash=False)
    error: str = ""
    records: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)

    @property
    def cell(self) -> Mapping[str, Any] | None:
        """The cell, if the command got that far."""
        cells = self.run.get("cells")
        return cells[0] if cells else None

    @property
    def sessions_s(self) -> float:
        """Real time that the sessions took; of the whole command if that is not known."""
        trials = self.cell["trial_figures"] if self.cell else ()
        return sum(trial["elapsed_s"] for trial in trials) if trials else self.elapsed_s


STREAM = "stream"
SEEN = "seen"
WIDE = "wide"
PAIRED = ("wall", "warp")
"""The clocks of a pair."""

STRATEGIES = ("gather", "sync", "threads")
"""What drives each form of session; a command is named after it."""


def asked_of(framework: Framework) -> tuple[Asked, ...]:
    """Return the commands that the cells of a framework take, those that tell most first."""
    main = framework.strategy
    others = [each for each in STRATEGIES if each != main]
    return (
        Asked(name=main, strategy=main, trials=2),
        Asked(name=STREAM, strategy=main, factory="build_stream"),
        Asked(name=SEEN, strategy=main, clock="wall", records=True),
        *(Asked(name=each, strategy=each) for each in others),
        Asked(name=WIDE, strategy=main, threads=TOOL_CALLS),
    )


def pair_of(framework: Framework, number: int) -> tuple[Asked, Asked]:
    """Return the commands of a pair, in wall and in warp; each pair turns the order round.

    Args:
        framework: What is run.
        number: Which pair, from 0 on.
    """
    wall, warp = (
        Asked(name=_in_pair(clock, number), strategy=framework.strategy, clock=clock)
        for clock in PAIRED
    )
    return (wall, warp) if number % 2 == 0 else (warp, wall)


def pairs_of(runs: Mapping[str, Ran]) -> Iterator[tuple[Ran, Ran]]:
    """Yield what came of each whole pair, in wall and in warp, up to the first that is not."""
    for number in count():
        wall, warp = (runs.get(_in_pair(clock, number)) for clock in PAIRED)
        if wall is None or warp is None:
            return
        yield wall, warp


def in_pairs(runs: Mapping[str, Ran]) -> Iterator[Ran]:
    """Yield what came of each command of a pair, of those that the other lacks, too."""
    for name, ran in runs.items():
        if name.startswith(tuple(_in_pair(clock, "") for clock in PAIRED)):
            yield ran


def _in_pair(clock: str, number: object) -> str:
    return f"{clock}-{number}"
