"""Samples as CSV: every session of every trial, a line each."""

import csv
import io
from collections.abc import Iterator

from ...bench.results.records import Run, TrialFigures
from ...bench.results.time_parts import PART_NAMES
from ...mocks.clock import seconds
from .measured import measured_cells

_CELL = ("scenario", "target", "strategy", "loop", "transport", "clock", "concurrency", "arrivals")
_SAMPLE = ("trial", "session", "outcome", "start_s", "latency_s")
_STREAMS = ("first_output_s", "longest_ttft_s", "longest_gap_s")
_SERVICE = ("workers",)
"""Behind all others: whoever reads columns by their places finds these where they were."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PARTS = tuple(f"{name}_s" for name in PART_NAMES)


def render(run: Run) -> str:
    """Return the samples of a run; times in seconds on the trial's clock."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_CELL, *_SAMPLE, *_PARTS, *_STREAMS, *_SERVICE))
    for _, cell in measured_cells(run):
        factors = [_text_of(getattr(cell.cell, name)) for name in _CELL]
        of_service = [getattr(cell.cell, name) for name in _SERVICE]
        for number, trial in enumerate(cell.trial_figures, 1):
            columns = (trial.session, trial.outcome, trial.start_ns, trial.latency_ns)
            rows = zip(
                zip(*columns, strict=True),
                _rows_of_parts(trial),
                _rows_of_streams(trial),
                strict=True,
            )
            for row, in_parts, in_streams in rows:
                session, outcome, start_ns, latency_ns = row
                sample = (number, session, outcome, seconds(start_ns), seconds(latency_ns))
                writer.writerow((*factors, *sample, *in_parts, *in_streams, *of_service))
    return text.getvalue()


def _text_of(value: object) -> object:
    """Return a value that a spreadsheet takes for a text, and not for a formula to compute."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _rows_of_parts(trial: TrialFigures) -> Iterator[tuple[float | str, ...]]:
    """Yield where the time of each session went; empty where that was not accounted for."""
    count = len(trial.session)
    if not trial.time_parts_ns:
        yield from [("",) * len(PART_NAMES)] * count
        return
    none = (0,) * count
    columns = (trial.time_parts_ns.get(name, none) for name in PART_NAMES)
    for row in zip(*columns, strict=True):
        yield tuple(seconds(part_ns) for part_ns in row)


def _rows_of_streams(trial: TrialFigures) -> Iterator[tuple[float | str, ...]]:
    """Yield the times of each session's streams; empty where it has none."""
    none = (-1,) * len(trial.session)
    columns = (trial.first_output_ns, trial.longest_ttft_ns, trial.longest_gap_ns)
    for row in zip(*(column or none for column in columns), strict=True):
        yield tuple("" if each_ns < 0 else seconds(each_ns) for each_ns in row)
