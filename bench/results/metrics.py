"""The times that an objective can be about."""

from enum import StrEnum


class Metric(StrEnum):
    """A time that is measured of sessions or of model calls; its name begins a figure's.

    A result holds its percentiles under that name and ``_s``: ``ttft_s``.
    """

    LATENCY = "latency"
    """The latency of a session, which goes without saying: ``p99``."""

    TTFT = "ttft"
    """The time to first token of a streamed model call: ``ttft_p95``."""

    ITL = "itl"
    """The inter-token latency, a time between two pieces of a streamed answer: ``itl_p99``."""

    FIRST_OUTPUT = "first_output"
    """The time to first output of a session that yields it: ``first_output_p95``."""

    @property
    def is_of_sessions(self) -> bool:
        """Whether each session has one at most, so that sessions are its samples."""
        return self in {Metric.LATENCY, Metric.FIRST_OUTPUT}
