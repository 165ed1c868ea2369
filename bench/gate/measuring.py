"""Measures cells for the gate: each once, in virtual time, on as many cores as there are.

Nothing in virtual time depends on how fast or how busy the machine is, so trials may run
beside each other, and the hook that counts calls may take the CPU that it takes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from ...mocks.errors import TrialError
from ...mocks.network import Network
from ...mocks.workload.script import draw
from ..results.cell import NO_LOOP, Cell
from ..results.trial_result import TrialResult
from ..runner.processes import TrialProcesses
from ..trial.loops import LOOPS
from ..trial.spec import NotApplicable, TrialSpec
from .structure.measure import Structure, structure_of
from .work.instructions import count_instructions, require_valgrind
from .work.measure import Work, work_of

TIME_LIMIT_S = 600.0
"""Real seconds after which a trial of the gate is killed."""

_MOST_MODEL_CALLS_COUNTED = 200


class Trials(Protocol):
    """What runs the trials: processes of this machine, or the workers of a cluster."""

    @property
    def at_once(self) -> int:
        """How many run at one time, each asked for by a thread of its own."""
        ...

    def check_target(self, name: str) -> None:
        """Load a target, so that a bad name is told before a trial.

        Raises:
            TargetError: It cannot be loaded.
            TrialError: Loading it crashed, or trials cannot have their network.
        """
        ...

    def run(self, spec: TrialSpec) -> TrialResult | NotApplicable:
        """Run one trial to its end.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial came to nothing.
        """
        ...

    def kill(self) -> None:
        """End the trials that are under way; they fail."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What a cell looks like.

    Attributes:
        structure: In virtual time.
        work: In counts of calls.
        modules: Top-level modules of the packages that had a part in it.
    """

    structure: Structure
    work: Work
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why a cell came to nothing."""

    reason: str


def measure(
    specs: Sequence[TrialSpec],
    progress: Callable[[Iterator[object]], Iterator[object]],
    *,
    with_instructions: bool = False,
    network: Network = Network.SHARED,
    trials: Trials | None = None,
) -> list[Measured | NotMeasured]:
    """Run each cell once.

    Args:
        specs: The cells.
        progress: Wraps the results as they come in, to show how it gets on.
        with_instructions: Whether to count instructions, too: some ten seconds a cell, here.
        network: The network that trials are in, if they run here.
        trials: Runs the trials; ``None`` for processes of this machine, one for each core.

    Returns:
        What was found, in the order of the cells.

    Raises:
        TargetError: A target cannot be used.
        TrialError: Loading a target crashed, or trials cannot have that network.
        UsageError: Instructions are asked for, and there is no valgrind.
    """
    if with_instructions:
        require_valgrind()
    trials = trials or TrialProcesses(TIME_LIMIT_S, network=network)
    for target in dict.fromkeys(spec.cell.target for spec in specs):
        trials.check_target(target)

    count = partial(count_instructions, network=network) if with_instructions else None

    def run(spec: TrialSpec) -> Measured | NotMeasured:
        try:
            return _measured(spec, trials, count)
        except TrialError as error:
            return NotMeasured(str(error))

    found: list[Measured | NotMeasured] = []
    with ThreadPoolExecutor(trials.at_once, "trial") as pool:
        try:
            for each in progress(pool.map(run, specs)):
                assert isinstance(each, Measured | NotMeasured)
                found.append(each)
        except BaseException:
            trials.kill()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _measured(
    spec: TrialSpec, trials: Trials, count: Callable[[TrialSpec], int] | None
) -> Measured | NotMeasured:
    counted = _counted(spec)
    is_short = counted == spec
    trial = trials.run(replace(spec, notes_waits=True, traces_memory=is_short))
    if isinstance(trial, NotApplicable):
        return NotMeasured(trial.reason)
    counts = _again(trials, replace(counted, notes_waits=is_short, counts_calls=True))
    assert counts.calls is not None
    memory = trial if is_short else _again(trials, replace(counted, traces_memory=True))
    instructions = None if count is None else count(counted)
    modules = counts.calls.modules | unseen_modules(spec.cell)
    return Measured(structure_of(trial), work_of(counts, instructions, memory.bytes_kept), modules)


def _again(trials: Trials, spec: TrialSpec) -> TrialResult:
    trial = trials.run(spec)
    assert not isinstance(trial, NotApplicable)  # nor was the first
    return trial


def unseen_modules(cell: Cell) -> frozenset[str]:
    """Return the modules that have a part in a cell, but no functions that a hook could see."""
    package = None if cell.loop == NO_LOOP else LOOPS[cell.loop].package
    return frozenset() if package is None else frozenset({package})


def _counted(spec: TrialSpec) -> TrialSpec:
    """Return the spec with as many sessions as it takes to count calls, and no more.

    To count takes several times the CPU, and sessions are alike: what differs between them
    shows in the structure.
    """
    sessions = calls = 0
    for session in draw(spec.scenario, spec.cell.seed, spec.cell.session_count).sessions:
        calls += len(session.model_calls)
        if sessions and calls > _MOST_MODEL_CALLS_COUNTED:
            break
        sessions += 1
    return replace(spec, cell=replace(spec.cell, session_count=sessions))
