"""A thread for each worker on lease: it takes a task, runs it, and tells what came of it.

All that is decided is decided by the thread that reads ``events``: the others hold no state but
their worker. So an interrupt strikes where the run is kept, and nothing needs a lock.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from ...mocks.errors import TrialError, WarpbenchError
from ..results.node import Node
from ..results.trial_result import TrialResult
from ..runner.cell_state import TrialOutcome
from ..trial.spec import NotApplicable, TrialSpec
from .leases import Cluster, NoWorkerError, Worker, WorkerLostError

_CLOSES_WITHIN_S = 5.0

Runs = Callable[[Worker, TrialSpec, TrialSpec | None], TrialResult | NotApplicable]
"""Runs a trial on a worker, and holds it against what else is known."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A worker is there, and idle."""

    number: int
    node: Node


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker has run its task, and is idle."""

    number: int
    outcome: TrialOutcome


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker has gone, with its task if it had one."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class NotLeased:
    """The cluster has no worker to lend in place of one."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Something is wrong that no other worker would do better: the run ends with it."""

    number: int
    error: BaseException


Event = Leased | Ended | Lost | NotLeased | Stopped


class Workers:
    """The workers of a run, each with a thread of its own, until ``close``.

    Attributes:
        events: What they tell, in the order in which it happened.

    Args:
        cluster: Lends them.
        run: Runs a trial on one.
    """

    def __init__(self, cluster: Cluster, run: Runs) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._cluster = cluster
        self._run = run
        self._inboxes: dict[int, SimpleQueue[tuple[TrialSpec, TrialSpec | None] | None]] = {}
        self._threads: dict[int, Thread] = {}
        self._began = 0

    def begin(self) -> int:
        """Let a thread take a lease; return the number that its events bear."""
        number = self._began
        self._began += 1
        self._inboxes[number] = SimpleQueue()
        # A thread that waits for a node which never answers does not hold up the end of the run.
        thread = Thread(target=self._serve, args=(number,), name=f"worker-{number}", daemon=True)
        self._threads[number] = thread
        thread.start()
        return number

    def give(self, number: int, spec: TrialSpec, then: TrialSpec | None) -> None:
        """Let a worker that is idle run a trial.

        Args:
            number: Its number.
            spec: The trial.
            then: What it runs next for sure; ``None`` if that is open.
        """
        self._inboxes[number].put((spec, then))

    def close(self, idle: Iterable[int]) -> None:
        """Let the threads end; what a worker still runs ends with the cluster.

        Args:
            idle: The numbers of those that run nothing: they are waited for.
        """
        for inbox in self._inboxes.values():
            inbox.put(None)
        for number in idle:
            self._threads[number].join(_CLOSES_WITHIN_S)

    def _serve(self, number: int) -> None:
        try:
            worker = self._cluster.lease()
        except NoWorkerError as error:
            self.events.put(NotLeased(number, str(error)))
            return
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self.events.put(Stopped(number, error))
            return
        self.events.put(Leased(number, worker.node))
        event: Event | None = None
        while not isinstance(event, Lost | Stopped) and (job := self._inboxes[number].get()):
            event = self._event_of(number, worker, *job)
            self.events.put(event)
        with suppress(WarpbenchError):
            worker.close()

    def _event_of(
        self, number: int, worker: Worker, spec: TrialSpec, then: TrialSpec | None
    ) -> Event:
        try:
            return Ended(number, self._run(worker, spec, then))
        except TrialError as error:
            return Ended(number, error)
        except WorkerLostError as error:
            return Lost(number, str(error))
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            return Stopped(number, error)
