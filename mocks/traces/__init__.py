"""Traces: recordings of real traffic in other people's formats, read into ours.

    file ──rows──▶ one reader a format ──▶ Trace (sessions, what was malformed) ──▶ replay or fit

A malformed row is counted by the kind of its defect, and never fatal.
"""

from .formats import FORMATS, read_trace
from .scenarios import fitted_scenario, replayed_scenario
from .trace import SubagentForm, TokenModel, Trace, TraceOptions

__all__ = [
    "FORMATS",
    "SubagentForm",
    "TokenModel",
    "Trace",
    "TraceOptions",
    "fitted_scenario",
    "read_trace",
    "replayed_scenario",
]
