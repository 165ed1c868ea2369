"""Values that the tests of the matrix begin with: what a command printed."""

from collections.abc import Iterable
from typing import Any

from .matrix.runs import SESSIONS, TOOL_CALLS, Ran

SECOND = 1_000_000_000


def cell(*, succeeded: int = SESSIONS, **fields: Any) -> dict[str, Any]:
    """A measured cell with two equal trials."""
    return {
        "status": "measured",
        "error": None,
        "sessions": {"started": SESSIONS, "succeeded": succeeded},
        "tool_calls": TOOL_CALLS,
        "loop_blockers": [],
        "makespan_s": 2.0,
        "trial_figures": [trial(), trial()],
        **fields,
    }


def trial(latency_ns: int = SECOND, **parts_ns: list[int]) -> dict[str, Any]:
    """A trial of one session."""
    return {
        "session": [0],
        "latency_ns": [latency_ns],
        "time_parts_ns": parts_ns,
        "cpu_s_per_session": 0.4,
        "elapsed_s": 0.5,
    }


def ran(**fields: Any) -> Ran:
    """A command that printed a cell.

    Args:
        fields: Those of the cell, and ``records``.
    """
    records = fields.pop("records", ())
    return Ran(elapsed_s=2.0, status=0, run={"cells": [cell(**fields)]}, records=records)


def alone(**fields: Any) -> Ran:
    """A command that printed a cell of one trial."""
    return ran(trial_figures=[trial()], **fields)


def pairs(makespans_s: Iterable[float]) -> dict[str, Ran]:
    """Pairs of commands, those in wall of 2 s and those in warp so long."""
    runs: dict[str, Ran] = {}
    for number, makespan_s in enumerate(makespans_s):
        runs |= {f"wall-{number}": alone(), f"warp-{number}": alone(makespan_s=makespan_s)}
    return runs
