"""pytest-benchmark's JSON, as ``--benchmark-json`` writes it: for ``pytest-benchmark compare``.

A benchmark for each cell; its times are the makespans of the trials, in seconds on the clock.
"""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from pytest_benchmark.stats import Stats

from ...bench.results.encoding import json_text
from ...bench.results.metrics import Metric
from ...bench.results.records import CellResult, Run
from .measured import measured_cells

_FACTORS = ("scenario", "target", "strategy", "loop", "transport", "clock", "concurrency")
_FIGURES = (
    "ideal_makespan_s",
    "efficiency",
    "throughput_per_s",
    "llm_calls",
    "streamed_calls",
    "prompt_tokens",
    "completion_tokens",
    "tool_calls",
    "peak_in_flight",
    "cpu_s_per_session",
    "peak_rss_bytes",
)


def render(run: Run) -> str:
    """Return a run."""
    environment = run.environment
    document = {
        "machine_info": {
            "system": environment.platform,
            "python_version": environment.python,
            "python_implementation": environment.implementation,
            "cpu": {"count": environment.cores},
        },
        "commit_info": {"id": environment.commit, "dirty": _is_dirty(environment.commit)},
        "benchmarks": [_benchmark(name, cell) for name, cell in measured_cells(run)],
        "datetime": run.created_at,
        "version": version("pytest-benchmark"),
    }
    return json_text(document)


def _is_dirty(commit: str | None) -> bool:
    return commit is not None and commit.endswith("-dirty")


def _benchmark(name: str, result: CellResult) -> dict[str, object]:
    stats: Any = Stats()  # type: ignore[no-untyped-call]
    for trial in result.trial_figures:
        stats.update(trial.makespan_s)
    return {
        "group": result.cell.scenario,
        "name": name,
        "fullname": f"warpbench::{name}",
        "params": {factor: getattr(result.cell, factor) for factor in _FACTORS},
        "param": None,
        "extra_info": {
            **{figure: getattr(result, figure) for figure in _FIGURES},
            **{
                f"{metric}_{key}_s": value
                for metric in Metric
                for key, value in asdict(getattr(result, f"{metric}_s")).items()
            },
            **{f"tokens_per_s_{key}": value for key, value in asdict(result.tokens_per_s).items()},
            **{f"sessions_{key}": count for key, count in asdict(result.sessions).items()},
        },
        "options": {},
        "stats": {**stats.as_dict(), "data": stats.data, "iterations": 1},
    }
