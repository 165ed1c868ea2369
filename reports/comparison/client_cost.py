"""What the HTTP client costs: the same cells over sockets and in-process, in sentences.

In-process, the transport below the client is replaced by the mock; over sockets the client
does all its work, and the mock does its own in another process. So the difference in CPU a
call is the client's sockets, parsing and pool, less the mock. Measured, the mock takes about
0.1 ms of a call.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from ...bench.results.formatting import listed, name, seconds
from ...bench.results.records import CellResult, Run, Status
from ...mocks.transports.registry import RESPX
from .ranking import label


def client_costs(run: Run) -> tuple[str, ...]:
    """Say what each transport over sockets costs above the one in-process, at the highest load.

    Args:
        run: The run.

    Returns:
        One sentence for each scenario, target and transport of which the run has both.
    """
    by_group: dict[tuple[str, str, str], list[tuple[CellResult, float]]] = defaultdict(list)
    for result, cost_s in _costs(run):
        by_group[result.cell.scenario, result.cell.target, result.cell.transport].append(
            (result, cost_s)
        )
    return tuple(_sentence(*field, at_loads=costs) for field, costs in by_group.items())


def _sentence(
    scenario: str, target: str, transport: str, *, at_loads: list[tuple[CellResult, float]]
) -> str:
    load = max(result.cell.concurrency for result, _ in at_loads)
    parts = [
        f"{seconds(abs(cost_s))} {'more' if cost_s >= 0 else 'less'} with {label(result.cell)}"
        for result, cost_s in at_loads
        if result.cell.concurrency == load
    ]
    return (
        f"{name(scenario)} ({name(target)}, {name(transport)}): at {load}, a call takes CPU beyond "
        f"in-process: {listed(parts)}. That is the HTTP client, less the mock in its place."
    )


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
