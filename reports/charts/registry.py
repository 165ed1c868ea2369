"""All charts, in their order on the page."""

from . import (
    data_flow,
    distribution,
    efficiency,
    first_token,
    lag,
    latency,
    percentile_curve,
    throughput,
    time_parts,
)
from .chart import Chart

CHARTS: tuple[Chart, ...] = (
    throughput.CHART,
    efficiency.CHART,
    latency.CHART,
    percentile_curve.CHART,
    first_token.CHART,
    time_parts.CHART,
    data_flow.CHART,
    distribution.CHART,
    lag.CHART,
)
