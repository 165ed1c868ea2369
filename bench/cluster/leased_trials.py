"""Trials of which each stands for itself, on the workers of a cluster: those of the gate.

Nothing is compared that depends on the node, so a trial runs on whichever worker is free. One that
is lost with its worker is run again on another, at most twice, as in a run.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from ...mocks.errors import TrialError, WarpbenchError
from ..results.records import Finding
from ..results.trial_result import TrialResult
from ..trial.spec import NotApplicable, TrialSpec
from .leases import Cluster, NoWorkerError, Worker, WorkerLostError
from .losses import Losses
from .schedule import MOST_ATTEMPTS, lost_too_often


class LeasedTrials:
    """Runs trials on workers, each one at a time; several threads may have one under way each.

    Args:
        cluster: Lends the workers; it is closed by whoever has opened it.
        check_target: Loads a target on this machine, so that a bad name is told before a trial.
    """

    def __init__(self, cluster: Cluster, check_target: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._check_target = check_target
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._lent = 0
        self._losses = Losses()

    @property
    def at_once(self) -> int:
        """How many trials run at one time."""
        return self._cluster.size

    def check_target(self, name: str) -> None:
        """Load a target on this machine.

        Raises:
            TargetError: It cannot be loaded.
            TrialError: Loading it crashed or took too long.
        """
        self._check_target(name)

    def run(self, spec: TrialSpec) -> TrialResult | NotApplicable:
        """Run one trial to its end, on a worker that is free.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took too long, or took too many
                workers with it; or no worker is left.
        """
        reason = ""
        for attempt in range(MOST_ATTEMPTS):
            worker = self._taken()
            try:
                found = worker.run(spec, None)
            except WorkerLostError as error:
                reason = f"{worker.node.host}: {error}"
                self._lose(worker, str(error), is_repeated=attempt + 1 < MOST_ATTEMPTS)
            except BaseException:
                self._give_back(worker)
                raise
            else:
                self._give_back(worker)
                return found
        raise lost_too_often(reason)

    def kill(self) -> None:
        """End the trials that are under way; they fail."""
        self._cluster.close()

    def findings(self) -> tuple[Finding, ...]:
        """Return what is to be told: that workers were lost, if any was."""
        return self._losses.findings()

    def _taken(self) -> Worker:
        with self._changed:
            self._lent += 1  # one that is being leased counts: it is given back, too
            if self._idle:
                return self._idle.pop()
        try:
            return self._cluster.lease()
        except NoWorkerError as error:
            return self._given_back_by_another(error)
        except BaseException:
            self._end_lease()
            raise

    def _given_back_by_another(self, error: NoWorkerError) -> Worker:
        """Wait until a worker is idle: the cluster has fewer than it had."""
        self._end_lease()
        with self._changed:
            self._changed.wait_for(lambda: self._idle or not self._lent)
            if not self._idle:
                raise TrialError(f"the cluster has no worker any more: {error}") from error
            self._lent += 1
            return self._idle.pop()

    def _end_lease(self) -> None:
        with self._changed:
            self._lent -= 1
            self._changed.notify_all()

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            self._idle.append(worker)
        self._end_lease()

    def _lose(self, worker: Worker, reason: str, *, is_repeated: bool) -> None:
        with suppress(WarpbenchError):
            worker.close()
        with self._changed:
            self._losses.add(worker.node.host, reason, is_repeated=is_repeated)
        self._end_lease()
