"""One side's process: imports the lab and the targets once, then forks for each trial.

Run as ``python -P -m warpbench.bench.gate.time.side_process SETTINGS``, with one hash seed for both
sides. Each trial gets a fresh process that way, and starts in milliseconds. Requests and
answers are lines of JSON, on standard input and output.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....mocks.child_process import exit_reason
from ....mocks.clock import ClockMode
from ....mocks.errors import WarpbenchError, name_of, text_of
from ....mocks.network import Network
from ....mocks.network.guard import stay_on_this_machine
from ....mocks.network.namespace import isolate_network
from ....mocks.redaction import redact_what_is_printed
from ....mocks.sandbox import hold_no_secrets
from ....mocks.scenario import load_scenario
from ....mocks.standard_output import print_to_stderr
from ....mocks.supervisor import (
    Leash,
    adopt_orphans,
    die_with_parent,
    end_descendants,
    fork_trial,
    stand_over,
)
from ....mocks.telemetry import keep_telemetry_quiet
from ...instruments.code_origin import Origin, origin_of
from ...results.cell import Cell
from ...results.samples import Outcome
from ...targets.loading import require_target
from ...trial.spec import NotApplicable, TrialSpec
from ...trial.trial import run_trial

_PRELOADED = (
    "warpbench.mocks.transports.in_process.reached",
    "openai.resources.chat",
    "httpcore",
    "httpcore2",
)


def main() -> None:
    """Serve trials until standard input ends."""
    settings = json.loads(sys.argv[1])
    # Ctrl-C goes to the whole group; the gate decides what becomes of its sides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(settings["parent"], signal.SIGTERM)
    adopt_orphans()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    print_to_stderr()  # what targets print is no answer
    redact_what_is_printed()
    hold_no_secrets(os.environ)
    keep_telemetry_quiet(os.environ)
    stay_on_this_machine()  # and what targets do when they are imported, too
    try:
        if Network(settings["network"]) is Network.ISOLATED:
            isolate_network()
        _take_code_from(Path(settings["worktree"]), Path(settings["checkout"]))
        for module in _PRELOADED:
            with contextlib.suppress(ImportError):  # a target may do without it
                importlib.import_module(module)
        for target in settings["targets"]:
            with contextlib.suppress(Exception):  # its trials will say what is wrong with it
                require_target(target)
        _refuse_code_of(Path(settings["checkout"]), Path(settings["worktree"]))
    except BaseException as error:  # noqa: BLE001 - reported to the other end
        _answer(answers, {"error": _in_words(error)})
        return
    _answer(answers, {})
    gc.collect()
    gc.freeze()  # or each trial would pay for looking at what was imported
    for line in sys.stdin:
        _answer(answers, _in_a_fork(json.loads(line)))
    end_descendants()  # what targets have started when they were imported


def _answer(answers: Any, answer: Mapping[str, object]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _in_a_fork(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        trial = fork_trial()
        if trial == 0:
            own, status = os.getpid(), 1
            try:
                text = json.dumps(_trial(request))
                if os.getpid() == own:  # and no fork of the target's
                    answer.write(text)
                    answer.flush()
                    status = 0
            finally:
                os._exit(status)  # neither finalisers nor the parent's loop
        # Nothing comes by standard input before the answer, but its end if the gate is killed.
        status = stand_over(trial, Leash(sys.stdin.fileno()))
        answer.seek(0)
        text = answer.read()
    if not text:
        return {"error": f"crashed: {exit_reason(status)}"}
    answer_read: dict[str, Any] = json.loads(text)
    return answer_read


def _trial(request: dict[str, Any]) -> dict[str, object]:
    try:
        scenario = load_scenario(request["scenario"])
        cell = Cell(**{**request, "scenario": scenario.name, "clock": ClockMode(request["clock"])})
        trial = run_trial(TrialSpec(scenario, cell))
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: say why
        return {"error": _in_words(error)}
    if isinstance(trial, NotApplicable):
        return {"error": trial.reason}
    failed = [each for each in trial.samples if each.outcome is not Outcome.SUCCEEDED]
    if failed:
        return {
            "error": f"{len(failed)} of {len(trial.samples)} sessions did not succeed; the first: "
            f"{failed[0].error}"
        }
    return {
        "cpu_s_per_session": trial.cpu_s / len(trial.samples),
        "ideal_makespan_ns": trial.workload_ns[0],
    }


def _take_code_from(worktree: Path, checkout: Path) -> None:
    """Import from the worktree what would come from the checkout: paths, editable installs."""
    sys.path[:] = [_moved(entry, worktree, checkout) for entry in sys.path]
    for name, module in list(sys.modules.items()):
        # setuptools leaves a finder with a table of packages where a path does not do.
        mapping = getattr(module, "MAPPING", None)
        if name.startswith("__editable__") and isinstance(mapping, dict):
            for package, path in mapping.items():
                mapping[package] = _moved(path, worktree, checkout)


def _moved(path: str, worktree: Path, checkout: Path) -> str:
    place = Path(path)
    if not place.is_relative_to(checkout) or _stays(place):
        return path
    return str(worktree / place.relative_to(checkout))


def _stays(place: Path) -> bool:
    """Say whether it is an environment inside the checkout, or the lab, which measures both."""
    return origin_of(f"{place}/") in (Origin.PACKAGE, Origin.STANDARD, Origin.LAB)


def _refuse_code_of(checkout: Path, worktree: Path) -> None:
    """Make sure that the targets have come from the worktree alone.

    Raises:
        WarpbenchError: One has not.
    """
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if (
            isinstance(file, str)
            and Path(file).is_relative_to(checkout)
            and not Path(file).is_relative_to(worktree)
            and origin_of(file) is Origin.OWN
        ):
            raise WarpbenchError(
                f"module {name!r} was imported from the checkout ({file}) instead of the commit "
                "under test: only installed packages and what lies on the import path can be "
                "taken from another commit"
            )


def _in_words(error: BaseException) -> str:
    text = " ".join(text_of(error).split())
    if isinstance(error, WarpbenchError):
        return text
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
    return f"{name_of(error)}: {text}{where}"


if __name__ == "__main__":
    main()
