"""What to run, and the estimated gain of a fix: from a sweep, and from runs without a cost.

What limits a cell is not guessed from a profile: the cell is run once more at twice the load with
one cost taken away, and the gain is what the cost was.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ...mocks.clock import ClockMode
from ...mocks.scenario import NO_LIMITS, Scenario, ToolCallSpec, ToolKind, ToolSpec
from ...mocks.scenario.distributions import Constant, Distribution, Uniform
from ..results.advice import Cost, CostKind, Gain
from ..results.cell import NO_LOOP
from ..results.records import CellResult, Status
from ..results.trial_result import TrialResult
from ..runner.runner import Trials
from ..statistics.objectives import Objectives
from ..statistics.summary import cell_result
from ..trial.spec import TrialSpec

AS_GOOD = 0.97
"""Share of the greatest throughput from which on a smaller load is the better advice."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A cell with one of its costs taken away.

    Attributes:
        cost: What is taken away.
        spec: The cell.
    """

    cost: Cost
    spec: TrialSpec


def choose(cells: Iterable[CellResult], objectives: Objectives | None) -> CellResult | None:
    """Return the cell to run: highest throughput, or nearly that at a lower concurrency.

    Args:
        cells: The cells of a sweep.
        objectives: What is to be met, if anything.

    Returns:
        The cell; ``None`` if none meets the objectives without losing a session.
    """
    kept = [
        result
        for result in cells
        if result.status is Status.MEASURED
        and result.sessions.all_succeeded
        and (objectives is None or objectives.are_met_by(result))
    ]
    most_per_s = max((result.achieved_per_s for result in kept), default=0.0)
    good = [result for result in kept if result.achieved_per_s >= AS_GOOD * most_per_s > 0]
    return min(
        good, key=lambda result: (result.cell.concurrency, -result.achieved_per_s), default=None
    )


def others_of(best: CellResult, cells: Iterable[CellResult]) -> tuple[CellResult, ...]:
    """Return the best cell of each other strategy and loop, in descending throughput."""
    found: dict[tuple[str, str], CellResult] = {}
    for result in sorted(cells, key=lambda result: result.achieved_per_s, reverse=True):
        series = result.cell.strategy, result.cell.loop
        if series != (best.cell.strategy, best.cell.loop) and result.status is Status.MEASURED:
            found.setdefault(series, result)
    return tuple(found.values())


def double_load_spec(best: CellResult, scenario: Scenario) -> TrialSpec:
    """Return the cell at twice the load, and with twice the sessions."""
    cell = replace(
        best.cell, concurrency=2 * best.cell.concurrency, session_count=2 * best.cell.session_count
    )
    return TrialSpec(scenario, cell, accounts_time=True)


def what_ifs(spec: TrialSpec) -> Iterator[WhatIf]:
    """Yield a cell with each of its costs taken away in turn."""
    scenario = spec.scenario
    at_no_cost = replace(spec, cell=replace(spec.cell, clock=ClockMode.VIRTUAL))
    yield WhatIf(Cost(CostKind.CLIENT_CPU), at_no_cost)
    if scenario.limits != NO_LIMITS:
        yield WhatIf(Cost(CostKind.MODEL_LIMITS), _with(spec, limits=NO_LIMITS))
    for name, tool in scenario.tools.items():
        if tool.kind is ToolKind.CPU:
            yield WhatIf(Cost(CostKind.TOOL_CPU, name), _with_tool(spec, tool, at_no_cost=True))
        on_loop = spec.cell.loop != NO_LOOP
        if tool.kind is not ToolKind.ASYNC and tool.in_coroutine and on_loop:
            awaited = replace(tool, kind=ToolKind.ASYNC, in_coroutine=False)
            yield WhatIf(Cost(CostKind.TOOL_BLOCKING, name), _with_tool(spec, tool, awaited))


def gains_of(
    at_double_load: CellResult, changes: Iterable[WhatIf], trials: Trials
) -> tuple[Gain, ...]:
    """Run cells with a cost taken away, and return the gains, the greatest first.

    Args:
        at_double_load: The cell with all its costs.
        changes: The cells without one of them.
        trials: Runs a trial.

    Returns:
        What was gained each time; nothing for a cell in which no session succeeded.

    Raises:
        TrialError: A trial came to nothing.
    """
    if not at_double_load.achieved_per_s:
        return ()
    found = []
    for change in changes:
        result = trials.run(change.spec)
        if isinstance(result, TrialResult):
            cell = cell_result(change.spec.cell, [result])
            gain = cell.achieved_per_s / at_double_load.achieved_per_s - 1
            found.append(Gain(change.cost, cell, gain))
    return tuple(sorted(found, key=lambda each: each.gain, reverse=True))


def _with_tool(
    spec: TrialSpec, tool: ToolSpec, changed: ToolSpec | None = None, *, at_no_cost: bool = False
) -> TrialSpec:
    """Return a cell with another tool in the place of one."""
    changed = changed or tool

    def call_of(call: ToolCallSpec) -> ToolCallSpec:
        if call.tool != tool:
            return call
        return replace(call, tool=changed, latency=_nothing(call) if at_no_cost else call.latency)

    rounds = tuple(
        replace(each, tool_calls=tuple(map(call_of, each.tool_calls)))
        for each in spec.scenario.rounds
    )
    return _with(spec, tools={**spec.scenario.tools, tool.name: changed}, rounds=rounds)


def _nothing(call: ToolCallSpec) -> Distribution:
    """Return a latency of nothing that takes as many random numbers: all others stay the same."""
    return Constant(0) if isinstance(call.latency, Constant) else Uniform(0, 0)


def _with(spec: TrialSpec, **changes: object) -> TrialSpec:
    return replace(spec, scenario=replace(spec.scenario, **changes))  # type: ignore[arg-type]
