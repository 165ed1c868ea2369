"""What a cluster is to the lab: it lends workers, and each runs one trial at a time.

Ray is one, the processes of this machine are another, and a test has a third. Whatever goes wrong
with a worker itself is a ``WorkerLostError``; what goes wrong with a trial is what it is on one
machine, ``TrialError`` or ``TargetError``.
"""

from typing import Protocol

from ...mocks.errors import WarpbenchError
from ..results.node import Node
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..trial.spec import NotApplicable, TrialSpec


class WorkerLostError(WarpbenchError):
    """A worker has ended, or cannot be reached: what it ran may or may not have ended well."""


class NoWorkerError(WarpbenchError):
    """A cluster has no worker to lend; says why."""


class Worker(Protocol):
    """A worker on lease: one core of a node, and the processes of one trial after another."""

    @property
    def node(self) -> Node:
        """The node that it is on."""
        ...

    def run(self, spec: TrialSpec, then: TrialSpec | None) -> TrialResult | NotApplicable:
        """Run one trial to its end.

        Args:
            spec: The trial.
            then: The trial that it runs next for sure; ``None`` if that is open.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took too long.
            WorkerLostError: The worker has gone.
        """
        ...

    def run_alone(self, spec: TrialSpec) -> Solo:
        """Run sessions one after another.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took too long.
            WorkerLostError: The worker has gone.
        """
        ...

    def close(self) -> None:
        """Give it back, and end whatever it still runs."""
        ...


class Cluster(Protocol):
    """What lends workers, to several threads at one time."""

    @property
    def size(self) -> int:
        """How many workers it lends at one time."""
        ...

    def lease(self) -> Worker:
        """Return a worker that nobody else has, once there is one.

        Raises:
            NoWorkerError: There is none, and there will be none.
        """
        ...

    def close(self) -> None:
        """End all workers that are lent, and what was started for them."""
        ...
