"""Stands in for the processes of trials: a test of a verdict need not start any."""

import importlib
import sys
from pathlib import Path

import pytest
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.targets.loading import load_factory
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.errors import TrialError, WarpbenchError
from warpbench.mocks.network import Network


class TrialsHere:
    """Runs each trial in this process, as ``TrialProcesses`` does in one of its own."""

    at_once = 1  # a trial changes the environment of its process for a time: they take turns in one

    def __init__(self, _time_limit_s: float, *, network: Network) -> None: ...

    def check_target(self, name: str) -> None:
        """Load a target, its module read anew: a test may have written another one."""
        importlib.invalidate_caches()
        module, is_custom, _ = name.partition(":")
        if is_custom:
            sys.modules.pop(module, None)
        load_factory(name)

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        try:
            with prepared_here(spec, spec.cell.target) as trial:
                return trial if isinstance(trial, NotApplicable) else trial()
        except WarpbenchError:
            raise
        except Exception as error:
            raise TrialError(f"{type(error).__name__}: {error}") from error

    def kill(self) -> None: ...


def run_trials_here(patches: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the gate run its trials in this process, with the modules of a folder."""
    patches.setattr("warpbench.bench.gate.measuring.TrialProcesses", TrialsHere)
    # Written twice within a second, a module would be read as it was before.
    patches.setattr(sys, "dont_write_bytecode", True)
    patches.syspath_prepend(folder)
