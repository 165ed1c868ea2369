"""Runs a cell whose sessions several processes share: one trial in each, begun at one moment.

Each process has an interpreter, a strategy, a clock and a mocked world of its own, as workers of a
service have that know nothing of each other. Sessions are dealt out in turn, and so is the
concurrency: a plan of arrivals, too, falls on all processes alike. In real time, which all have in
common, they share the limits of the model.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...mocks.model.shared_capacity import begin_shared
from ...mocks.scenario import NO_LIMITS, Scenario
from ...mocks.scenario.model import ModelLimits
from ..results.trial_result import TrialResult
from ..statistics.shards import pooled
from ..trial.spec import NotApplicable, TrialSpec
from .runner import TrialsTogether


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
        if not shares_limits(spec):
            return _pooled(specs, self._trials.run_together(specs))
        folder = Path(tempfile.mkdtemp(prefix="warpbench-limits-"))
        try:
            file = folder / "state.json"
            begin_shared(file)
            specs = tuple(replace(each, limits_file=file) for each in specs)
            # What they let through while sessions warmed up is forgotten, as in one process.
            return _pooled(specs, self._trials.run_together(specs, lambda: begin_shared(file)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def shares_limits(spec: TrialSpec) -> bool:
    """Say whether the processes of a cell ask one server of the model, which has limits."""
    cell = spec.cell
    has_limits = spec.scenario.limits != NO_LIMITS
    return has_limits and cell.processes > 1 and not (cell.split_limits or cell.clock.skips)


def _pooled(
    specs: Sequence[TrialSpec], found: Sequence[TrialResult | NotApplicable]
) -> TrialResult | NotApplicable:
    """Return one result of those of all processes; or why one of them has nothing to measure."""
    shards: list[TrialResult] = []
    for each in found:
        if isinstance(each, NotApplicable):
            return each
        shards.append(each)
    sessions = [each.only or () for each in specs]
    return pooled(shards, sessions, share_limits=specs[0].limits_file is not None)


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
