"""What it costs to save a large run: 24 cells with three trials of 10,000 sessions, 0.5 s of CPU.

Each trial has its file as it ends, and the run's file is written at the end. A save costs the same
at the first trial and at the last, whatever lies in the folder by then.
"""

import random
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from warpbench.bench.results.records import Run
from warpbench.bench.results.run_file import write_run
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.trial_file import CellKey, TrialFolder, new_run
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.summary import cell_result, trial_figures

from ..built import CELL, HEADER, TRIAL

GOAL_S = 0.5
CELLS = 24
TRIALS = 3
SESSIONS = 10_000


def a_trial(draws: random.Random) -> TrialResult:
    """A trial whose figures have as many digits as those of a warp run."""
    starts_ns = [draws.randrange(10**12) for _ in range(SESSIONS)]
    latencies_ns = [int(draws.lognormvariate(21, 0.5)) for _ in range(SESSIONS)]
    return replace(
        TRIAL,
        samples=tuple(
            SessionSample(number, Outcome.SUCCEEDED, start_ns, start_ns + latency_ns)
            for number, (start_ns, latency_ns) in enumerate(
                zip(starts_ns, latencies_ns, strict=True)
            )
        ),
        makespan_ns=max(starts_ns) + max(latencies_ns),
        ideal_latencies_ns=tuple(latencies_ns),
        time_parts_ns=tuple(
            TimeParts(llm=latency_ns * 7 // 10, tool=latency_ns // 5, cpu=latency_ns // 10)
            for latency_ns in latencies_ns
        ),
    )


def test_a_large_run_is_saved_within_half_a_second_of_cpu(tmp_path: Path) -> None:
    draws = random.Random(1)
    trial = a_trial(draws)
    figures = trial_figures(trial)
    folder = TrialFolder(
        tmp_path,
        new_run(HEADER.created_at, HEADER.command, HEADER.environment, None, HEADER.secrets),
        HEADER.secrets,
    )
    cells = [replace(CELL, concurrency=10 + number) for number in range(CELLS)]
    saves_s: list[float] = []
    for number, cell in enumerate(cells):
        key = CellKey(cell, f"{number:016x}")
        for repeat in range(TRIALS):
            begin_s = time.process_time()
            folder.keep(key, repeat, trial, figures)
            saves_s.append(time.process_time() - begin_s)
    run = Run(
        created_at=HEADER.created_at,
        command=HEADER.command,
        environment=HEADER.environment,
        cells=tuple(cell_result(cell, [trial] * TRIALS) for cell in cells),
    )
    begin_s = time.process_time()
    write_run(run, tmp_path / "run.json")
    run_s = time.process_time() - begin_s
    total_s = sum(saves_s) + run_s
    early_s, late_s = median(saves_s[:12]), median(saves_s[-12:])
    file_bytes = (tmp_path / "run.json").stat().st_size
    print(
        f"\n{total_s:.2f} s of CPU: {len(saves_s)} trials {sum(saves_s):.2f} s "
        f"({early_s * 1e3:.1f} ms each at first, {late_s * 1e3:.1f} ms at last), "
        f"run.json {run_s:.2f} s ({file_bytes / 1e6:.1f} MB)"
    )
    assert total_s <= GOAL_S
    assert late_s <= 2 * early_s
