"""What the HTTP client costs: the same cells over sockets and in-process.

In-process, the transport below the client is replaced by the mock; over sockets the client
does all its work, and the mock does its own in another process. So the difference in CPU a
call is the client's sockets, parsing and pool, less the mock. Measured, the mock takes about
0.1 ms of a call.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...bench.results.records import CellResult, Run, Status
from ...mocks.transports.registry import RESPX


@dataclass(frozen=True, slots=True)
class ClientCost:
    """What a model call costs over sockets above one in-process.

    Attributes:
        scenario: The scenario.
        target: The target.
        transport: The transport over sockets.
        load: The highest concurrency that has both.
        costs_s: CPU seconds of a call above the one in-process, for each cell.
    """

    scenario: str
    target: str
    transport: str
    load: int
    costs_s: tuple[tuple[CellResult, float], ...]


def client_costs(run: Run) -> tuple[ClientCost, ...]:
    """Return what each transport over sockets costs above the one in-process.

    Args:
        run: The run.

    Returns:
        A value for each scenario, target and transport of which the run has both.
    """
    by_group: dict[tuple[str, str, str], list[tuple[CellResult, float]]] = defaultdict(list)
    for result, cost_s in _costs(run):
        by_group[result.cell.scenario, result.cell.target, result.cell.transport].append(
            (result, cost_s)
        )
    return tuple(_at_highest_load(*which, costs) for which, costs in by_group.items())


def _at_highest_load(
    scenario: str, target: str, transport: str, costs_s: list[tuple[CellResult, float]]
) -> ClientCost:
    load = max(result.cell.concurrency for result, _ in costs_s)
    at_load = tuple(each for each in costs_s if each[0].cell.concurrency == load)
    return ClientCost(scenario, target, transport, load, at_load)


def _costs(run: Run) -> Iterator[tuple[CellResult, float]]:
    """Yield each cell over sockets with the CPU seconds of a call above its twin in-process."""
    twins = {result.cell: result for result in run.cells if result.cell.transport == RESPX.name}
    for result in run.cells:
        twin = twins.get(replace(result.cell, transport=RESPX.name))
        if twin is None or twin is result:
            continue
        over_sockets_s, in_process_s = _cpu_s_per_call(result), _cpu_s_per_call(twin)
        if over_sockets_s is not None and in_process_s is not None:
            yield result, over_sockets_s - in_process_s


def _cpu_s_per_call(result: CellResult) -> float | None:
    if (
        result.status is not Status.MEASURED
        or not result.llm_calls
        or result.cpu_s_per_session is None
    ):
        return None
    return result.cpu_s_per_session * result.cell.session_count / result.llm_calls
