"""What a trial computed, as counts that only a change of code can change. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ...results.trial_result import TrialResult

_MOST_PYTHON = 20
_MOST_C = 10
_MOST_OWN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class MostCalled:
    """The functions that are called most, so that a change can be blamed.

    Attributes:
        calls: Calls by name.
        others_at_most: No function that is not named was called more often than this.
    """

    calls: Mapping[str, int]
    others_at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The computing of a trial, in all its sessions.

    Attributes:
        sessions: Sessions begun.
        model_calls: Calls of the model.
        python_calls: Calls of Python functions; a frame that goes on after an ``await`` is
            one more.
        c_calls: Calls of C functions.
        loop_iterations: Iterations of event loops.
        tasks: Tasks created.
        http_requests: HTTP requests.
        blocks_kept: Memory blocks kept at the end, beyond those at the begin.
        bytes_kept: Bytes likewise, those too large for a block too; ``None`` if not recorded.
        own_calls: Calls that the user's own functions make, by package; ``None`` if not recorded.
        python: The Python functions that are called most.
        c: The C functions that are called most.
        own: What the user's own functions call most: ``caller → callee``.
        instructions: Instructions of the processor, if they were asked for.
    """

    sessions: int
    model_calls: int
    python_calls: int
    c_calls: int
    loop_iterations: int
    tasks: int
    http_requests: int
    blocks_kept: int
    python: MostCalled
    c: MostCalled
    own: MostCalled
    bytes_kept: int | None = None
    own_calls: Mapping[str, int] | None = None
    instructions: int | None = None


def work_of(
    trial: TrialResult, instructions: int | None = None, bytes_kept: int | None = None
) -> Work:
    """Return the work of a trial that has counted its calls.

    Args:
        trial: The trial.
        instructions: Instructions of the processor, if they were counted.
        bytes_kept: Bytes that as many sessions leave behind, if that was measured.
    """
    assert trial.calls is not None
    return Work(
        sessions=len(trial.samples),
        model_calls=trial.llm_calls,
        python_calls=sum(trial.calls.python.values()),
        c_calls=sum(trial.calls.c.values()),
        loop_iterations=trial.calls.loop_iterations,
        tasks=trial.calls.tasks,
        http_requests=trial.http_requests,
        blocks_kept=trial.calls.blocks_kept,
        bytes_kept=bytes_kept,
        own_calls=_by_package(trial.calls.own),
        python=_most_called(trial.calls.python, _MOST_PYTHON),
        c=_most_called(trial.calls.c, _MOST_C),
        own=_most_called(trial.calls.own, _MOST_OWN),
        instructions=instructions,
    )


def _by_package(own: Mapping[str, int]) -> dict[str, int]:
    packages: Counter[str] = Counter()
    for name, calls in own.items():
        packages[package_of(name)] += calls
    return dict(sorted(packages.items()))


def package_of(name: str) -> str:
    """Return the package, or the module, of a call's caller: ``agent`` of ``agent/wire.py:body``.

    A folder ``src`` is none: it holds them.
    """
    file = name.partition(":")[0].removeprefix("src/")
    return file.partition("/")[0].removesuffix(".py")


def _most_called(calls: Mapping[str, int], most: int) -> MostCalled:
    # Equal counts go by name, so that the choice is the same each time.
    ordered = sorted(calls.items(), key=lambda item: (-item[1], item[0]))
    others = ordered[most:]
    return MostCalled(
        calls=dict(ordered[:most]), others_at_most=max((count for _, count in others), default=0)
    )
