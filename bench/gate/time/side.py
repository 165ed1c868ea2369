"""One side of a comparison, as the gate sees it: asked for a trial, it tells what it cost."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ....mocks.child_process import Child, ChildError
from ....mocks.errors import TrialError
from ....mocks.network import Network
from ...results.cell import Cell
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


class Side:
    """A process that runs trials of one commit."""

    def __init__(self, name: str, child: Child) -> None:
        self._name = name
        self._child = child

    def ready(self) -> None:
        """Wait until its targets are loaded.

        Raises:
            TrialError: One cannot be.
        """
        self._answer(_START_LIMIT_S)

    def run(self, cell: Cell, sessions: int) -> Cost:
        """Run one trial in a fresh process.

        Raises:
            TrialError: It came to nothing; the message names the side.
        """
        request = {**asdict(cell), "session_count": sessions}
        self._child.write(json.dumps(request).encode() + b"\n")
        return Cost(**self._answer(_TRIAL_LIMIT_S))

    def _answer(self, limit_s: float) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._child.line(limit_s))
        except ChildError as error:
            raise TrialError(f"{self._name}: {error}") from error
        if "error" in answer:
            raise TrialError(f"{self._name}: {answer['error']}")
        return answer


@contextmanager
def running_side(
    worktree: Worktree,
    checkout: Checkout,
    python: Path,
    targets: Sequence[str],
    hash_seed: int,
    *,
    network: Network = Network.SHARED,
) -> Iterator[Side]:
    """Start a side, and end it when the scope ends.

    Args:
        worktree: Where its code is.
        checkout: Where its code is not.
        python: The interpreter of its environment.
        targets: What it loads before it is ready.
        hash_seed: The same for all sides of a block.
        network: The network that it is in.
    """
    settings = {
        "worktree": str(worktree.root),
        "checkout": str(checkout.root),
        "targets": list(targets),
        "network": network.value,
        "parent": os.getpid(),
    }
    with Child(
        [str(python), "-P", "-m", _MODULE, json.dumps(settings)],
        ends_within_s=_ENDS_WITHIN_S,
        folder=worktree.folder,
        environ={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
    ) as child:
        yield Side(f"{worktree.name} ({worktree.commit[:12]})", child)
