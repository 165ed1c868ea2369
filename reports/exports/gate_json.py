"""The gate's verdicts as JSON, for machines."""

import json
from dataclasses import asdict

from ...bench.results.verdict import GateResult


def gate_json(result: GateResult) -> str:
    """Return the verdicts as JSON, in the shape of ``GateResult``."""
    return json.dumps(asdict(result), indent=2, ensure_ascii=False)
