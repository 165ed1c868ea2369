"""What the HTTP client costs: the same cells over sockets and in-process, in sentences.

In-process, the transport below the client is replaced by the mock; over sockets the client
does all its work, and the mock does its own in another process. So the difference in CPU a
call is the client's sockets, parsing and pool, less the mock. Measured, the mock takes about
0.1 ms of a call.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator

from ...bench.results.formatting import listed, name, seconds
from ...bench.results.records import CellResult, Run, Status
from .ranking import label

IN_PROCESS = "respx"


def client_costs(run: Run) -> tuple[str, ...]:
    """Say what each transport over sockets costs above the one in-process, at the highest load.

    Args:
        run: The run.

    Returns:
        One sentence for each scenario, target and transport of which the run has both.
    """
    by_field: dict[tuple[str, str, str], list[tuple[CellResult, float]]] = defaultdict(list)
    for cell, cost_s in _costs(run):
        by_field[cell.scenario, cell.target, cell.transport].append((cell, cost_s))
    return tuple(_sentence(*field, at_loads=costs) for field, costs in by_field.items())


def _sentence(
    scenario: str, target: str, transport: str, *, at_loads: list[tuple[CellResult, float]]
) -> str:
    load = max(cell.concurrency for cell, _ in at_loads)
    parts = [
        f"{seconds(abs(cost_s))} {'more' if cost_s >= 0 else 'less'} with {label(cell)}"
        for cell, cost_s in at_loads
        if cell.concurrency == load
    ]
    return (
        f"{name(scenario)} ({name(target)}, {name(transport)}): at {load}, a call takes CPU beyond "
        f"in-process: {listed(parts)}. That is the HTTP client, less the mock in its place."
    )


def _costs(run: Run) -> Iterator[tuple[CellResult, float]]:
    """Yield each cell over sockets with the CPU seconds of a call above its twin in-process."""
    twins = {_without_transport(cell): cell for cell in run.cells if cell.transport == IN_PROCESS}
    for cell in run.cells:
        twin = twins.get(_without_transport(cell))
        if twin is None or cell.transport == IN_PROCESS:
            continue
        over_sockets_s, in_process_s = _cpu_s_per_call(cell), _cpu_s_per_call(twin)
        if over_sockets_s is not None and in_process_s is not None:
            yield cell, over_sockets_s - in_process_s


def _cpu_s_per_call(cell: CellResult) -> float | None:
    if cell.status is not Status.MEASURED or not cell.llm_calls or cell.cpu_s_per_session is None:
        return None
    return cell.cpu_s_per_session * cell.session_count / cell.llm_calls


def _without_transport(cell: CellResult) -> Hashable:
    return (
        *(cell.scenario, cell.target, cell.strategy, cell.loop, cell.clock),
        *(cell.concurrency, cell.session_count, cell.seed, cell.tool_workers, cell.arrivals),
    )
