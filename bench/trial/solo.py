"""A target alone: its sessions one after another, on a clock on which computing is free.

That is what this agent does at best, as it is written. Nothing holds a session up: neither another
one, nor an executor that is full, nor the limits of the model's server.
"""

from collections.abc import Iterator
from dataclasses import replace

from ...mocks.clock import ClockMode
from ...mocks.scenario import NO_LIMITS
from ...mocks.transports.registry import RESPX
from ...mocks.workload.arrivals import CLOSED
from ..attribution.solo import shorter_of, solo_sessions
from ..results.cell import NO_LOOP
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..strategies import gather, sync
from .loops import ASYNCIO
from .machine import ANY_WORKERS
from .project_files import ProjectFiles
from .spec import NotApplicable, TrialSpec
from .turn import Turn

MOST_SOLO_SESSIONS = 300
"""So many sessions of a target are run alone; the others keep their longest conversation."""


def solo_specs(spec: TrialSpec, sessions: int) -> Iterator[TrialSpec]:
    """Yield the trials that run a target's sessions alone, one for each form that there may be.

    Args:
        spec: A cell of the target.
        sessions: How many sessions, the first ones of the script.
    """
    for strategy, loop in ((gather.STRATEGY, ASYNCIO.name), (sync.STRATEGY, NO_LOOP)):
        cell = replace(
            spec.cell,
            strategy=strategy.name,
            loop=loop,
            one_at_a_time=strategy.one_at_a_time,
            transport=RESPX.name,
            arrivals=CLOSED.name,
            clock=ClockMode.VIRTUAL,
            concurrency=1,
            session_count=sessions,
            tool_workers=ANY_WORKERS,
        )
        scenario = replace(spec.scenario, limits=NO_LIMITS)
        yield TrialSpec(scenario, cell, has_any_workers=True)


def run_alone(spec: TrialSpec, turn: Turn) -> Solo:
    """Run one of ``solo_specs``, and return what its sessions did; for a process of its own.

    Raises:
        TargetError: The target cannot be loaded.
        ClockError: Time could not be kept truthfully.
    """
    files = ProjectFiles()
    # It imports the openai SDK, which the process that starts trials has no use for.
    from .trial import run_trial  # noqa: PLC0415

    return sessions_alone(run_trial(spec, turn), files)


def shorter_solo(forms: Iterator[Solo] | tuple[Solo, ...]) -> Solo:
    """Return the shorter of a target's forms, session by session, and the files of all."""
    found = tuple(forms)
    files: dict[str, str] | None = {}
    for each in found:
        files = None if files is None or each.files is None else {**files, **each.files}
    return Solo(shorter_of(each.sessions for each in found), files)


def sessions_alone(trial: TrialResult | NotApplicable, files: ProjectFiles | None = None) -> Solo:
    """Return what the sessions of a trial of ``solo_specs`` did.

    Args:
        trial: The trial.
        files: Those that it read, from before the import of its target on; ``None`` where no files
            are noted.
    """
    sessions = {} if isinstance(trial, NotApplicable) else solo_sessions(trial)
    return Solo(sessions, None if files is None else files.digests())
