"""Values that the tests of the matrix begin with: what a command printed."""

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
        "trial_figures": [trial(), trial()],
        **fields,
    }


def trial(latency_ns: int = SECOND, **parts_ns: list[int]) -> dict[str, Any]:
    """A trial of one session."""
    return {
        "session": [0],
        "latency_ns": [latency_ns],
        "time_parts_ns": parts_ns,
        "cpu_s_per_session": 0.1,
    }


def ran(**fields: Any) -> Ran:
    """A command that printed a cell.

    Args:
        fields: Those of the cell, and ``fidelity`` and ``records``.
    """
    fidelity, records = fields.pop("fidelity", []), fields.pop("records", ())
    run = {"cells": [cell(**fields)], "fidelity": fidelity}
    return Ran(elapsed_s=2.0, status=0, run=run, records=records)
