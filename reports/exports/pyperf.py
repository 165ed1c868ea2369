"""pyperf's JSON: two benchmarks a cell, one run with one value for each trial.

``pyperf compare_to before.json after.json`` then tells whether the means differ.
"""

from collections.abc import Sequence

from ...bench.results.encoding import json_text
from ...bench.results.records import Run
from .measured import measured_cells

_VERSION = "1.0"


def render(run: Run) -> str:
    """Return a run: makespans, and CPU per session, in seconds."""
    environment = run.environment
    benchmarks = []
    for name, cell in measured_cells(run):
        for title, attribute in (("makespan", "makespan_s"), ("CPU", "cpu_s_per_session")):
            values = [getattr(trial, attribute) for trial in cell.trial_figures]
            if all(value > 0 for value in values):  # pyperf takes no other
                benchmarks.append(_benchmark(f"{name} {title}", values))
    metadata = {
        "date": run.created_at,
        "platform": environment.platform,
        "python_version": environment.python,
        "python_implementation": environment.implementation.lower(),
        "cpu_count": environment.cores,
        "unit": "second",
        "command": run.command,
        **({"commit": environment.commit} if environment.commit else {}),
    }
    document = {"version": _VERSION, "metadata": metadata, "benchmarks": benchmarks}
    return json_text(document)


def _benchmark(name: str, values: Sequence[float]) -> dict[str, object]:
    return {"metadata": {"name": name, "loops": 1}, "runs": [{"values": [each]} for each in values]}
