"""One side of a comparison, as the gate sees it: asked for a trial, it tells what it cost."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ....mocks.child_process import Child, ChildError
from ....mocks.errors import TrialError
from ....mocks.network import Network
from ...results.cell import Cell
from .budget import Budget
from .worktrees import Checkout, Worktree

_START_LIMIT_S = 120.0
_TRIAL_LIMIT_S = 300.0
_ENDS_WITHIN_S = 2.0
_MODULE = "warpbench.bench.gate.time.side_process"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a trial cost.

    Attributes:
        cpu_s_per_session: CPU seconds a session, of all threads.
        ideal_makespan_ns: Of the script alone: says which workload it was.
    """

    cpu_s_per_session: float
    ideal_makespan_ns: int


class Side(Protocol):
    """Runs trials of one commit."""

    def run(self, cell: Cell, sessions: int) -> Cost:
        """Run one trial in a fresh process.

        Raises:
            TrialError: It came to nothing; the message names the side.
            BudgetSpent: The budget ended first.
        """


class Sides(Protocol):
    """Starts the sides of a block."""

    def __call__(
        self, hash_seed: int, order: Sequence[str]
    ) -> AbstractContextManager[Mapping[str, Side]]:
        """Start sides, and end them when the scope ends.

        Args:
            hash_seed: The same for all of them.
            order: Their names, in the order in which they start.

        Raises:
            TrialError: One cannot load its targets.
            BudgetSpent: The budget ended first.
        """


class SideProcess:
    """A process that runs trials of one commit.

    Args:
        name: What messages call it.
        child: The process.
        budget: When it is to end at the latest.
    """

    def __init__(self, name: str, child: Child, budget: Budget) -> None:
        self._name = name
        self._child = child
        self._budget = budget

    def ready(self) -> None:
        """Wait until its targets are loaded.

        Raises:
            TrialError: One cannot be.
            BudgetSpent: The budget ended first.
        """
        self._answer(_START_LIMIT_S)

    def run(self, cell: Cell, sessions: int) -> Cost:
        """Run one trial in a fresh process."""
        self._budget.check()
        request = {**asdict(cell), "session_count": sessions}
        self._child.write(json.dumps(request).encode() + b"\n")
        return Cost(**self._answer(_TRIAL_LIMIT_S))

    def hang_up(self) -> None:
        """Let it end its trial and itself, without waiting for that."""
        self._child.hang_up()

    def _answer(self, limit_s: float) -> dict[str, Any]:
        try:
            with self._budget.waiting(limit_s) as waits_s:
                answer: dict[str, Any] = json.loads(self._child.line(waits_s))
        except ChildError as error:
            raise TrialError(f"{self._name}: {error}") from error
        if "error" in answer:
            raise TrialError(f"{self._name}: {answer['error']}")
        return answer


@dataclass(frozen=True, slots=True)
class SideProcesses:
    """Starts the sides of a block as processes, and ends them together.

    Attributes:
        worktrees: Where the code of each is, by name.
        checkout: Where it is not.
        pythons: The interpreter of each side's environment.
        targets: What they load before they are ready.
        budget: When they are to end at the latest.
        network: The network that they are in.
    """

    worktrees: Mapping[str, Worktree]
    checkout: Checkout
    pythons: Mapping[str, Path]
    targets: Sequence[str]
    budget: Budget
    network: Network = Network.SHARED

    @contextmanager
    def __call__(self, hash_seed: int, order: Sequence[str]) -> Iterator[dict[str, Side]]:
        """Start sides, and end them when the scope ends."""
        with ExitStack() as scope:
            sides: dict[str, SideProcess] = {}
            try:
                for name in order:
                    self.budget.check()
                    child = scope.enter_context(self._child(name, hash_seed))
                    called = f"{name} ({self.worktrees[name].commit[:12]})"
                    sides[name] = SideProcess(called, child, self.budget)
                for side in sides.values():
                    side.ready()
                yield dict(sides)
            finally:
                for side in sides.values():
                    side.hang_up()  # so that none waits for another to end

    def _child(self, name: str, hash_seed: int) -> Child:
        worktree = self.worktrees[name]
        settings = {
            "worktree": str(worktree.root),
            "checkout": str(self.checkout.root),
            "targets": list(self.targets),
            "network": self.network.value,
            "parent": os.getpid(),
        }
        return Child(
            [str(self.pythons[name]), "-P", "-m", _MODULE, json.dumps(settings)],
            ends_within_s=_ENDS_WITHIN_S,
            folder=worktree.folder,
            environ={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        )
