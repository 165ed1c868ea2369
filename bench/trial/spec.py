"""What a trial is told, and its answer where there is nothing to measure."""

from dataclasses import dataclass
from pathlib import Path

from ...mocks.clock import ScheduleSpec
from ...mocks.errors import WarpbenchError
from ...mocks.scenario import Scenario
from ..results.cancellation import Cancellation
from ..results.cell import Cell
from ..services.served import READY_WITHIN_S


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """What a trial's process is told: the workload, the cell, and what to note beside.

    Attributes:
        scenario: The workload.
        cell: The cell.
        notes_waits: Whether to note each wait, and where a loop was blocked.
        accounts_time: Whether to account for the time of each session.
        counts_calls: Whether to count calls, which takes several times the CPU: for
            ``virtual`` only, where computing is free.
        traces_memory: Whether to measure the memory that sessions leave behind, for ``virtual``
            likewise.
        has_any_workers: Whether the loop's default executor has as many threads as it takes, rather
            than as many as Python gives it.
        finds_data_flow: Whether to find the data flow of its only session, by running it again with
            outputs changed: in ``virtual`` and in-process, where it notes its waits.
        schedule: Who goes on of several that could, in ``virtual``; ``None``: who could first.
        cancels: When some async sessions are cancelled, one time each.
        names_waits: Whether to name the waits that each async session makes.
        only: The sessions that run; ``None``: all of them.
        counts_expired_timers: Whether to count the time limits of asyncio that expire.
        notes_places: Whether to note where each call was made, with its wait.
        tells_left_behind: Whether to tell what the sessions left behind, a minute after them: in
            ``virtual``; streams only where it notes its waits.
        limits_file: Where the state of the model's limits is, if it serves other processes, too: in
            ``wall``.
        ready_within_s: Real seconds that a service as deployed gets to answer its first request.
    """

    scenario: Scenario
    cell: Cell
    notes_waits: bool = False
    accounts_time: bool = False
    counts_calls: bool = False
    traces_memory: bool = False
    has_any_workers: bool = False
    finds_data_flow: bool = False
    schedule: ScheduleSpec | None = None
    cancels: tuple[Cancellation, ...] = ()
    names_waits: bool = False
    counts_expired_timers: bool = False
    only: tuple[int, ...] | None = None
    notes_places: bool = False
    tells_left_behind: bool = False
    limits_file: Path | None = None
    ready_within_s: float = READY_WITHIN_S


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The target lacks the form of session that the strategy drives."""

    reason: str


class NotForkedError(WarpbenchError):
    """Trials of a target cannot be forked from one import of it; says why.

    Attributes:
        is_imported: Whether the target could be imported.
    """

    def __init__(self, message: str, *, is_imported: bool = False) -> None:
        super().__init__(message)
        self.is_imported = is_imported
