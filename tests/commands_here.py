"""Runs a command whose trials run in the test's own process: it prints the same.

A process for each trial takes half a second, and as long again to import its target. That trials do
run in processes is for ``tests/bench/runner`` and the tests of the commands.
"""

import importlib
import os
import sys
from functools import partial
from pathlib import Path

import pytest
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.targets.loading import require_target
from warpbench.bench.testing.explore import TrialsHere as TrialsInTests
from warpbench.bench.trial.project_files import ProjectFiles
from warpbench.bench.trial.solo import Solo, sessions_alone
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.sandbox import holding_no_secrets

from .conftest import Finished, run_warpbench_here


class TrialsHere:
    """Runs in this process what ``run`` and ``explore`` ask of ``TrialProcesses``."""

    def __init__(self, _time_limit_s: float, **_options: object) -> None: ...

    def start(self) -> None: ...

    def check_target(self, name: str, spec: TrialSpec | None = None) -> None:
        importlib.invalidate_caches()
        for part in name.split(":"):
            if Path(f"{part}.py").exists():  # one of its name may have stood in another folder
                sys.modules.pop(part, None)
        with holding_no_secrets(os.environ):  # but with a stand-in for each key
            require_target(name)

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        return TrialsInTests(spec.cell.target).run(spec)

    def run_alone(self, spec: TrialSpec) -> Solo:
        files = ProjectFiles()
        return sessions_alone(self.run(spec), files)


def run_command_here(folder: Path, *arguments: str) -> Finished:
    """Run ``warpbench …`` in a folder; of ``run`` and ``explore`` the trials are run here, too.

    The gate counts calls, of which there are more where others have run before.
    """
    with pytest.MonkeyPatch.context() as patches:
        # Written twice within a second, a module would be read as it was before.
        patches.setattr(sys, "dont_write_bytecode", True)
        patches.syspath_prepend(folder)
        for command in ("explore", "run"):
            patches.setattr(f"warpbench.bench.cli.{command}.TrialProcesses", TrialsHere)
        patches.setattr("warpbench.bench.cli.explore.Explorer", partial(Explorer, at_once=1))
        return run_warpbench_here(folder, *arguments)
