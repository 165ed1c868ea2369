"""The runs that answer the questions, and what each came to, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .frameworks import Framework

SESSIONS = 20
CONCURRENCY = 20
"""More than the default executor has threads on a small machine, so that tools compete for them."""

TOOL_CALLS = 4 * SESSIONS
"""The scenario `tools` asks for four of them in a session."""

TRIAL_LIMIT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command, `warpbench run`.

    Attributes:
        name: What its result is filed under.
        factory: Which factory of the framework's module is run.
        strategies: How sessions are driven; a cell each.
        clock: The clock.
        trials: Trials of each cell.
        records: Whether the tools note when they ran.
        more: Further options.
    """

    name: str
    factory: str = "build"
    strategies: tuple[str, ...]
    clock: str = "virtual"
    trials: int = 1
    records: bool = False
    more: tuple[str, ...] = ()

    def arguments(self, module: str, out: str) -> tuple[str, ...]:
        """Return the arguments of `warpbench`."""
        return (
            *("run", "tools", "--target", f"{module}:{self.factory}"),
            *("--strategy", ",".join(self.strategies), "--loop", "asyncio"),
            *("--clock", self.clock, "--trials", str(self.trials)),
            *("--sessions", str(SESSIONS), "--concurrency", str(CONCURRENCY)),
            *("--time-limit", f"{TRIAL_LIMIT_S}s", "--out", out, "--json", "--quiet"),
            *self.more,
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

    def cell(self, strategy: str) -> Mapping[str, Any] | None:
        """Return the cell of a strategy, if the command got that far."""
        for cell in self.run.get("cells", ()):
            if cell["cell"]["strategy"] == strategy:
                found: Mapping[str, Any] = cell
                return found
        return None


FORMS = "forms"
STREAM = "stream"
SEEN = "seen"
WARP = "warp"


def asked_of(framework: Framework) -> tuple[Asked, ...]:
    """Return the commands that the cells of a framework take, the quick ones first."""
    one = (framework.strategy,)
    return (
        Asked(name=FORMS, strategies=("gather", "sync", "threads"), trials=2),
        Asked(name=STREAM, strategies=one, factory="build_stream"),
        Asked(name=SEEN, strategies=one, clock="wall", records=True),
        Asked(name=WARP, strategies=one, clock="warp", more=("--validate", "all")),
    )
