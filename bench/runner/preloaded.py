"""Imported by the server of trials before the first of them: what each would import by itself.

It is the server's heap that a trial inherits. Frozen, it is no part of the trial's garbage
collections, which took 70 ms each of them otherwise.
"""

import gc
import importlib

from ..targets.built_in import BUILT_IN_TARGETS

# A target of somebody else's is not imported here: its import may start threads, which no fork
# survives, and read the environment before it is without secrets.
_MODULES = (
    "openai.resources.chat",
    "httpcore",
    "httpcore2",
    "uvloop",
    "time_machine",
    "warpbench.mocks.transports.in_process.reached",
    "warpbench.mocks.transports.loopback.reached",
    "warpbench.bench.trial.trial",
    "warpbench.bench.runner.trial_process",
    *dict.fromkeys(name.partition(":")[0] for name in BUILT_IN_TARGETS.values()),
)

for _module in _MODULES:
    importlib.import_module(_module)
gc.collect()
gc.freeze()
