"""Runs a cell whose sessions several processes share: one trial in each, begun at one moment.

Each process has an interpreter, a strategy, a clock and a mocked world of its own, as workers of a
service have that know nothing of each other. Sessions are dealt out in turn, and so is the
concurrency: a plan of arrivals, too, falls on all processes alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ...mocks.scenario import Scenario
from ...mocks.scenario.model import ModelLimits
from ..results.trial_result import TrialResult
from ..statistics.shards import pooled
from ..trial.spec import NotApplicable, TrialSpec
from .runner import Trials


class TrialsTogether(Trials, Protocol):
    """What runs trials, and several at one time."""

    def run_together(self, specs: Sequence[TrialSpec]) -> tuple[TrialResult | NotApplicable, ...]:
        """Run trials that begin at one moment; raise ``TrialError`` if one comes to nothing."""
        ...


class ShardedTrials:
    """Runs trials, those of several processes as one.

    Args:
        trials: Runs the trial of each process.
    """

    def __init__(self, trials: TrialsTogether) -> None:
        self._trials = trials

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        """Run one trial; see ``Trials``."""
        if spec.cell.processes == 1:
            # Only a trial of one process is prepared while another one ends.
            is_alone = then is not None and then.cell.processes == 1
            return self._trials.run(spec, then if is_alone else None)
        if (idle := with_idle_processes(spec)) is not None:
            return idle
        specs = shard_specs(spec)
        shards: list[TrialResult] = []
        for found in self._trials.run_together(specs):
            if isinstance(found, NotApplicable):
                return found
            shards.append(found)
        return pooled(shards, [each.only or () for each in specs])


def with_idle_processes(spec: TrialSpec) -> NotApplicable | None:
    """Return why a cell has more processes than it could use; ``None`` if it has not."""
    if spec.cell.concurrency >= spec.cell.processes:
        return None
    return NotApplicable(
        f"concurrency {spec.cell.concurrency} leaves some of {spec.cell.processes} "
        "processes without a session"
    )


def shard_specs(spec: TrialSpec) -> tuple[TrialSpec, ...]:
    """Return the trial of each process of a cell that has several.

    Args:
        spec: The cell's; its concurrency is at least the number of its processes.
    """
    cell, count = spec.cell, spec.cell.processes
    scenario = spec.scenario
    return tuple(
        replace(
            spec,
            scenario=with_split_limits(scenario, count) if cell.split_limits else scenario,
            cell=replace(
                cell,
                processes=1,
                split_limits=False,
                concurrency=len(range(number, cell.concurrency, count)),
            ),
            only=tuple(range(number, cell.session_count, count)),
        )
        for number in range(count)
    )


def with_split_limits(scenario: Scenario, count: int) -> Scenario:
    """Return a scenario as one of several processes has it, each with an equal part of the limits.

    Args:
        scenario: The scenario; none of its limits is below the number of processes.
        count: The number of processes.
    """
    limits = scenario.limits
    return replace(
        scenario,
        limits=ModelLimits(
            requests_per_minute=_part(limits.requests_per_minute, count),
            tokens_per_minute=_part(limits.tokens_per_minute, count),
            concurrency=_part(limits.concurrency, count),
        ),
    )


def _part(limit: int | None, count: int) -> int | None:
    return None if limit is None else limit // count
