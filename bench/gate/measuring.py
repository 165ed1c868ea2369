"""Measures cells for the gate: each once, in virtual time, on all cores at once.

Nothing in virtual time depends on how fast or how busy the machine is, so trials may run
beside each other, and the hook that counts calls may take the CPU that it takes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from ...mocks.errors import TrialError
from ...mocks.network import Network
from ...mocks.workload.script import draw
from ..results.cell import NO_LOOP, Cell
from ..results.trial_result import TrialResult
from ..runner.processes import TrialProcesses
from ..trial.loops import LOOPS
from ..trial.machine import available_cores
from ..trial.spec import NotApplicable, TrialSpec
from .structure.measure import Structure, structure_of
from .work.instructions import count_instructions, require_valgrind
from .work.measure import Work, work_of

_TIME_LIMIT_S = 600.0
_MOST_MODEL_CALLS_COUNTED = 200


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
) -> list[Measured | NotMeasured]:
    """Run each cell once.

    Args:
        specs: The cells.
        progress: Wraps the results as they come in, to show how it gets on.
        with_instructions: Whether to count instructions, too: some ten seconds a cell.
        network: The network that trials are in.

    Returns:
        What was found, in the order of the cells.

    Raises:
        TargetError: A target cannot be used.
        TrialError: Loading a target crashed, or trials cannot have that network.
        UsageError: Instructions are asked for, and there is no valgrind.
    """
    if with_instructions:
        require_valgrind()
    processes = TrialProcesses(_TIME_LIMIT_S, network=network)
    for target in dict.fromkeys(spec.cell.target for spec in specs):
        processes.check_target(target)

    count = partial(count_instructions, network=network) if with_instructions else None

    def run(spec: TrialSpec) -> Measured | NotMeasured:
        try:
            return _measured(spec, processes, count)
        except TrialError as error:
            return NotMeasured(str(error))

    found: list[Measured | NotMeasured] = []
    with ThreadPoolExecutor(available_cores(), "trial") as pool:
        try:
            for each in progress(pool.map(run, specs)):
                assert isinstance(each, Measured | NotMeasured)
                found.append(each)
        except BaseException:
            processes.kill()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _measured(
    spec: TrialSpec, processes: TrialProcesses, count: Callable[[TrialSpec], int] | None
) -> Measured | NotMeasured:
    counted = _counted(spec)
    is_short = counted == spec
    trial = processes.run(replace(spec, notes_waits=True, traces_memory=is_short))
    if isinstance(trial, NotApplicable):
        return NotMeasured(trial.reason)
    counts = _again(processes, replace(counted, notes_waits=is_short, counts_calls=True))
    assert counts.calls is not None
    memory = trial if is_short else _again(processes, replace(counted, traces_memory=True))
    instructions = None if count is None else count(counted)
    modules = counts.calls.modules | unseen_modules(spec.cell)
    return Measured(structure_of(trial), work_of(counts, instructions, memory.bytes_kept), modules)


def _again(processes: TrialProcesses, spec: TrialSpec) -> TrialResult:
    trial = processes.run(spec)
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
