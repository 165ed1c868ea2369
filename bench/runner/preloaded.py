"""Imported by the server of trials before the first of them: what each would import by itself.

It is the server's heap that a trial inherits. Frozen, it is no part of the trial's garbage
collections, which took 70 ms each of them otherwise.
"""

import gc
import importlib
import sys
from contextlib import suppress

from ..targets.built_in import BUILT_IN_TARGETS


def _import_without_pytest(module: str) -> None:
    """Import a module that would import pytest if that is installed, for a fixture.

    It takes 0.1 s and 20 MB, and no trial needs it.
    """
    if "pytest" in sys.modules:
        importlib.import_module(module)
        return
    sys.modules["pytest"] = None  # type: ignore[assignment]  # so that its import fails
    try:
        importlib.import_module(module)
    finally:
        del sys.modules["pytest"]


# A target of somebody else's is not imported here: its import may start threads, which no fork
# survives, and read the environment before it is without secrets.
_MODULES = (
    "uvloop",
    "warpbench.mocks.transports.in_process.reached",
    "warpbench.mocks.transports.loopback.reached",
    "warpbench.bench.trial.trial",
    "warpbench.bench.runner.trial_process",
)
# Targets may do without them, or have a version that cannot be imported: who needs one says so.
_IF_POSSIBLE = (
    # With all that newer releases import when it is first used.
    "openai.resources.chat.completions",
    "openai.resources.chat.completions.completions",
    "httpcore",
    "httpcore2",
    *dict.fromkeys(name.partition(":")[0] for name in BUILT_IN_TARGETS.values()),
)

_import_without_pytest("time_machine")
for _module in _IF_POSSIBLE:
    with suppress(ImportError):
        importlib.import_module(_module)
for _module in _MODULES:
    importlib.import_module(_module)
gc.collect()
gc.freeze()
