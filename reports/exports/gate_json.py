"""The gate's verdicts as JSON: the values, and beside them the sentences that people read."""

from dataclasses import asdict
from typing import Any

from ...bench.results.encoding import json_text
from ...bench.results.verdict import CellVerdict, Change, GateResult
from ..comparison.gate import change_text, note_text, reason_text
from ..comparison.objectives import objective_text


def gate_json(result: GateResult) -> str:
    """Return the verdicts as JSON, in the shape of ``GateResult`` with a ``text`` in each part."""
    document = {
        "verdict": result.verdict,
        "cells": [_cell(cell) for cell in result.cells],
        "notes": result.notes,
    }
    return json_text(document)


def _cell(cell: CellVerdict) -> dict[str, Any]:
    reason = cell.reason
    return {
        "cell": cell.cell,
        "tier": cell.tier,
        "verdict": cell.verdict,
        "changes": [_change(change) for change in cell.changes],
        "reason": None if reason is None else {**asdict(reason), "text": reason_text(reason)},
        "objectives": [{**asdict(each), "text": objective_text(each)} for each in cell.objectives],
        "notes": [
            {"kind": note.kind, "change": _change(note.change), "text": note_text(note)}
            for note in cell.notes
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {**asdict(change), "text": change_text(change)}
