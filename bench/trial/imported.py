"""Imports a target as a trial does, for trials that are forked from this process afterwards.

To import a framework takes longer than the sessions of most trials. So a process may import a
target once and be forked for each of its trials. That is done only in virtual time, in which it
makes no difference how long ago the import was, and only where all of this holds:

- the import is made where a trial makes it: without secrets, behind the network's guard, with the
  clock, the mocked world and all other scopes of a trial in force (``place_of_import``);
- each trial has scopes of its own, on the clock of the import from its beginning, and nothing of
  the import holds more than that clock of the scopes in which it was made;
- the import did nothing that forks would share, or lack (``import_watch``).

Anything else is said by ``NotForkedError``, and the target's trials import it themselves.
"""

import gc
import os
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...mocks.clock import ClockMode
from ...mocks.errors import ClockError, TargetError
from ...mocks.transports.registry import RESPX
from ...mocks.workload.arrivals import CLOSED
from ..results.cell import NO_LOOP
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..strategies import sync
from ..targets.loading import require_target
from .import_watch import FileRead, ImportWatch, Replacements
from .project_files import ProjectFiles
from .solo import sessions_alone
from .spec import NotApplicable, NotForkedError, TrialSpec
from .trial import (
    AfterImport,
    become_process_of_trials,
    place_of_import,
    run_in_process_of_trials,
)
from .turn import Turn


@dataclass(frozen=True, slots=True)
class Imported:
    """A target that this process has imported.

    Attributes:
        after: What the import has left to a trial.
        files: The files that it has read.
        at_fork: What it would have registered with ``os.register_at_fork``.
        project_files: Notes the files of the project that are read, since before the import.
    """

    after: AfterImport
    files: tuple[FileRead, ...]
    at_fork: tuple[Mapping[str, Callable[[], object]], ...]
    project_files: ProjectFiles

    def require_unchanged(self) -> None:
        """Check that a trial of now would import the same.

        Raises:
            NotForkedError: It might not.
        """
        for file in self.files:
            if file.has_changed():
                raise NotForkedError(f"it reads {file.path}, which has changed")

    def run_trial(self, spec: TrialSpec, turn: Turn) -> TrialResult | NotApplicable:
        """Run a trial of the target in a fork of this process; see ``trial.run_trial``."""
        for hooks in self.at_fork:
            os.register_at_fork(**hooks)
        return run_in_process_of_trials(spec, turn, self.after)

    def run_alone(self, spec: TrialSpec, turn: Turn) -> Solo:
        """Run sessions of the target one after another; see ``solo.run_alone``."""
        return sessions_alone(self.run_trial(spec, turn), self.project_files)


def import_target(spec: TrialSpec) -> Imported:
    """Import the target of a cell in this process, and leave it ready to be forked.

    Args:
        spec: A cell of the target.

    Raises:
        NotForkedError: A fork might be something else than a trial of its own.
    """
    project_files = ProjectFiles()
    become_process_of_trials()
    watch = ImportWatch()
    with watch.outside():
        try:
            after = _imported(_of_import(spec), watch)
        except (ClockError, TargetError) as error:
            raise NotForkedError(f"it cannot be imported here: {error}") from error
    if watch.reasons:
        raise NotForkedError(watch.reasons[0], is_imported=True)
    # What a collection of a fork's would look at, it would have to copy.
    gc.collect()
    gc.freeze()
    return Imported(after, watch.files, tuple(watch.at_fork), project_files)


def _imported(spec: TrialSpec, watch: ImportWatch) -> AfterImport:
    """Import the target in a trial's scopes, and leave these."""
    with place_of_import(spec) as place:
        replacements = Replacements()
        with watch.inside(place), watch.watching():
            require_target(spec.cell.target)
        watch.reasons += [f"it replaces {each}" for each in replacements.changed_since()]
        replaced = Replacements()  # with those in packages that the import has loaded
        after, meter = AfterImport(place.clock, place.made()), weakref.ref(place.meter)
    del place
    watch.reasons += [f"it holds {each} as the lab has it" for each in replaced.still_held()]
    if meter() is not None:
        watch.reasons.append("it holds something of the mocked world")
    return after


def _of_import(spec: TrialSpec) -> TrialSpec:
    """Return the cell in whose scopes a target is imported for all of its cells."""
    return TrialSpec(
        spec.scenario,
        replace(
            spec.cell,
            strategy=sync.STRATEGY.name,
            one_at_a_time=sync.STRATEGY.one_at_a_time,
            loop=NO_LOOP,
            transport=RESPX.name,
            arrivals=CLOSED.name,
            clock=ClockMode.VIRTUAL,
            processes=1,
        ),
        notes_waits=True,
        tells_left_behind=True,
    )
