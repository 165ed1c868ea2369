"""The process that valgrind runs: one cell, of which only the sessions are counted.

Run as ``valgrind --tool=callgrind --instr-atstart=no python -P -m … SPEC PARENT NETWORK``.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ....mocks.network import Network
from ....mocks.network.namespace import isolate_network
from ....mocks.supervisor import die_with_parent
from ...trial.spec import NotApplicable, TrialSpec
from ...trial.trial import prepared_here


def main() -> None:
    """Run the cell of the pickled spec in the file that is named, while the parent lives."""
    die_with_parent(int(sys.argv[2]))
    if Network(sys.argv[3]) is Network.ISOLATED:
        isolate_network()
    spec: TrialSpec = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - the gate's own
    with prepared_here(spec, spec.cell.target, _instrumented) as measure:
        if isinstance(measure, NotApplicable):
            sys.exit(measure.reason)
        measure()


@contextmanager
def _instrumented() -> Iterator[None]:
    _instrument("on")
    yield
    _instrument("off")


def _instrument(state: str) -> None:
    subprocess.run(  # noqa: S603 - what comes with valgrind
        ["callgrind_control", "-i", state, str(os.getpid())],  # noqa: S607
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
