"""Samples as CSV: every session of every trial, a line each."""

import csv
import io

from ...bench.record import Run
from ...mocks.clock import seconds
from .measured import measured_cells

_CELL = ("scenario", "target", "strategy", "loop", "transport", "clock", "concurrency")
_SAMPLE = ("trial", "session", "outcome", "start_s", "latency_s")


def render(run: Run) -> str:
    """Return the samples of a run; times in seconds on the trial's clock."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_CELL, *_SAMPLE))
    for _, cell in measured_cells(run):
        factors = [getattr(cell, name) for name in _CELL]
        for number, trial in enumerate(cell.trial_figures, 1):
            columns = (trial.session, trial.outcome, trial.start_ns, trial.latency_ns)
            for session, outcome, start_ns, latency_ns in zip(*columns, strict=True):
                sample = (number, session, outcome, seconds(start_ns), seconds(latency_ns))
                writer.writerow((*factors, *sample))
    return text.getvalue()
