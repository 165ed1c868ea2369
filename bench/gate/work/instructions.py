"""Counts the processor's instructions of a cell's sessions, under callgrind.

It sees what calls do not: a loop in C that goes round more often. With one hash seed and in
virtual time it repeats to a few parts in ten thousand on one kind of processor. A cell takes
some ten seconds.
"""

import os
import pickle
import re
import shutil
import sys
import tempfile
from pathlib import Path

from ....mocks.child_process import ChildError, run_to_end
from ....mocks.errors import TrialError, UsageError
from ....mocks.network import Network
from ...trial.spec import TrialSpec

_MODULE = "warpbench.bench.gate.work.instructions_process"
_TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_LIMIT_S = 1800


def require_valgrind() -> None:
    """Make sure that there is valgrind.

    Raises:
        UsageError: There is none.
    """
    if shutil.which("valgrind") is None or shutil.which("callgrind_control") is None:
        raise UsageError("--instructions: valgrind is not installed (Debian: apt install valgrind)")


def count_instructions(spec: TrialSpec, network: Network) -> int:
    """Return the instructions that the sessions of a cell take.

    Args:
        spec: The cell.
        network: The network that it is in.

    Raises:
        TrialError: It came to nothing.
    """
    with tempfile.TemporaryDirectory(prefix="warpbench-") as folder:
        counts, pickled = Path(folder) / "callgrind.out", Path(folder) / "spec"
        pickled.write_bytes(pickle.dumps(spec))
        command = [
            *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"),
            f"--callgrind-out-file={counts}",
            *(sys.executable, "-P", "-m", _MODULE, str(pickled), str(os.getpid()), network.value),
        ]
        try:
            run_to_end(command, _LIMIT_S, environ={**os.environ, "PYTHONHASHSEED": "0"})
        except ChildError as error:
            raise TrialError(f"under valgrind: {error}") from error
        totals = _TOTALS.search(counts.read_text(encoding="utf-8", errors="replace"))
    if totals is None or totals[1] == "0":
        raise TrialError("under valgrind: nothing was counted; may callgrind_control attach here?")
    return int(totals[1])
