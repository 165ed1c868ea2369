"""A run in the formats of other tools: one module each, that turns a ``Run`` into text.

To add one, write its module and list it in ``EXPORTS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...bench.results.records import Run
from . import bencher, csv_samples, github_action, pyperf, pytest_benchmark

__all__ = ["EXPORTS", "Export"]


@dataclass(frozen=True, slots=True)
class Export:
    """A format.

    Attributes:
        summary: What reads it, in one line.
        render: Returns a run in this format.
    """

    summary: str
    render: Callable[[Run], str]


EXPORTS: Mapping[str, Export] = {
    "pytest-benchmark": Export("pytest-benchmark's JSON: makespans", pytest_benchmark.render),
    "pyperf": Export("pyperf's JSON: makespan and CPU, for compare_to", pyperf.render),
    "github-bigger": Export(
        "github-action-benchmark, customBiggerIsBetter", github_action.render_bigger
    ),
    "github-smaller": Export(
        "github-action-benchmark, customSmallerIsBetter", github_action.render_smaller
    ),
    "bencher": Export("the Bencher Metric Format", bencher.render),
    "csv": Export("every session of every trial, a line each", csv_samples.render),
}
