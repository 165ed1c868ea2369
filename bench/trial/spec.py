"""What a trial is told, and its answer where there is nothing to measure."""

from dataclasses import dataclass

from ...mocks.clock import ScheduleSpec
from ...mocks.scenario import Scenario
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
        cancels_ns: Some async sessions, and after how long each of them is cancelled.
        only: The sessions that run; ``None``: all of them.
        notes_places: Whether to note where each call was made, with its wait.
        tells_left_behind: Whether to tell what the sessions left behind, a minute after them: in
            ``virtual``; streams only where it notes its waits.
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
    cancels_ns: tuple[tuple[int, int], ...] = ()
    only: tuple[int, ...] | None = None
    notes_places: bool = False
    tells_left_behind: bool = False
    ready_within_s: float = READY_WITHIN_S


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The target lacks the form of session that the strategy drives."""

    reason: str
