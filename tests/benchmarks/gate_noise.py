"""Measures the noise of the time tier on this machine: one commit against itself.

    python tests/benchmarks/gate_noise.py BLOCKS OUT [--loaded]

Writes, for each block, the CPU seconds a session of its trials in the order A B B A A B B A …:
what ``test_error_rates`` draws from. With ``--loaded`` another process keeps one core busy.
"""

import argparse
import json
import math
import multiprocessing
import random
import sys
from pathlib import Path

from warpbench.bench.cli.cells import cells_named
from warpbench.bench.gate.configuration import Configuration
from warpbench.bench.gate.time.blocks import TRIAL_CPU_S
from warpbench.bench.gate.time.budget import Budget
from warpbench.bench.gate.time.side import SideProcesses
from warpbench.bench.gate.time.worktrees import BASE, HEAD, Checkout, Worktree

CELL = "tools/agent/gather/asyncio@10"
ROUNDS = 3


def burn() -> None:
    """Keep a core busy."""
    while True:
        pass


def measure_blocks(count: int) -> list[list[float]]:
    """Return the trials of so many blocks; both sides run this checkout's own code."""
    here = Path.cwd()
    checkout = Checkout(Path("/nowhere"), Path(), head="", base="")
    (specs, _) = cells_named(Configuration(cells=(CELL,)))
    cell = specs[0].cell
    blocks = []
    worktrees = {name: Worktree(name, here, here, commit="") for name in (BASE, HEAD)}
    pythons = dict.fromkeys(worktrees, Path(sys.executable))
    sides = SideProcesses(worktrees, checkout, pythons, (cell.target,), Budget(math.inf))
    for number in range(count):
        with sides(random.Random(number).randrange(1, 2**32), (BASE, HEAD)) as running:
            first, second = running[BASE], running[HEAD]
            cost_s = first.run(cell, 20).cpu_s_per_session
            sessions = math.ceil(TRIAL_CPU_S / cost_s)
            order = (first, second, second, first) * ROUNDS
            blocks.append([round(side.run(cell, sessions).cpu_s_per_session, 9) for side in order])
    return blocks


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("blocks", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--loaded", action="store_true")
    options = parser.parse_args()
    load = multiprocessing.Process(target=burn, daemon=True)
    if options.loaded:
        load.start()
    blocks = measure_blocks(options.blocks)
    lines = ",\n".join(json.dumps(block) for block in blocks)
    options.out.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
