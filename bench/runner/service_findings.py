"""Warnings about a service as deployed: who ended, what limits it at which load, who asks it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from ...mocks.child_process import exit_reason
from ..results.finding_text import finding
from ..results.records import CellResult, Finding, FindingKind
from ..results.service_use import ServiceLimit, ServiceUse

_NS_PER_S = 1e9

BUSY_WORKER = 0.85
"""The share of a core that each worker takes in the mean, from which they are the limit."""

BUSY_MACHINE = 0.9
"""The share of the machine's cores that are busy, likewise."""

BUSY_CLIENT = 0.7
"""The share of a core from which waiting for the lab's own client shows in the figures."""

_Deployed = tuple[CellResult, ServiceUse]


def service_findings(
    cells: Iterable[CellResult],
    name_of: Callable[[CellResult], str],
    *,
    least_share: float,
    least_s: float,
) -> Iterator[Finding]:
    """Yield the warnings about the cells of services as deployed.

    Args:
        cells: Measured cells; those of other targets are left out.
        name_of: Names a cell in a sentence.
        least_share: The share of sessions' time from which waiting in the service is worth one.
        least_s: The shortest mean of that, in seconds.
    """
    deployed = [(cell, cell.service) for cell in cells if cell.service is not None]
    for cell, use in deployed:
        yield from _ended(cell, use, name_of(cell))
        if use.client_cores >= BUSY_CLIENT:
            yield finding(
                FindingKind.CLIENT_BOUND, cell=name_of(cell), client_cores=use.client_cores
            )
    by_series: dict[tuple[str, str, int], list[_Deployed]] = {}
    for cell, use in deployed:
        key = cell.cell.scenario, cell.cell.target, cell.cell.workers
        by_series.setdefault(key, []).append((cell, use))
    for found in by_series.values():
        in_order = sorted(found, key=lambda pair: pair[0].cell.concurrency)
        yield from _limits(in_order, name_of, least_share, least_s)


def _ended(cell: CellResult, use: ServiceUse, name: str) -> Iterator[Finding]:
    if not use.ended:
        return
    # That of the command is told first: it takes the others with it.
    first = next((each for each in use.ended if each.was_command), use.ended[0])
    counts = cell.sessions
    replaced_ns = first.replaced_after_ns
    yield finding(
        FindingKind.PROCESS_ENDED,
        cell=name,
        pid=first.pid,
        trial=first.trial,
        at_s=first.at_ns / _NS_PER_S,
        how="" if first.status is None else exit_reason(first.status),
        was_command=first.was_command,
        is_replaced=replaced_ns is not None,
        replaced_s=0.0 if replaced_ns is None else replaced_ns / _NS_PER_S,
        others=use.ended_count - 1,
        unsuccessful=counts.started - counts.succeeded,
        started=counts.started,
    )


def _limits(
    cells: Sequence[_Deployed],
    name_of: Callable[[CellResult], str],
    least_share: float,
    least_s: float,
) -> Iterator[Finding]:
    """Yield one warning for each limit that is met, with the lowest load at which it is."""
    met: dict[ServiceLimit, list[tuple[CellResult, Mapping[str, Any]]]] = {}
    lowest = cells[0][0]
    for cell, use in cells:
        for limit, values in _limits_of(cell, use):
            met.setdefault(limit, []).append((cell, values))
        waits = _waits(cell, use, lowest, least_share, least_s)
        if waits is not None:
            met.setdefault(ServiceLimit.WAITS, []).append((cell, waits))
    for limit, found in met.items():
        first, values = found[0]
        yield finding(
            FindingKind.SERVICE_LIMIT,
            cell=name_of(first),
            limit=limit.value,
            workers=first.cell.workers,
            other_cells=len(found) - 1,
            **values,
        )


def _limits_of(
    cell: CellResult, use: ServiceUse
) -> Iterator[tuple[ServiceLimit, Mapping[str, Any]]]:
    lab_cores = use.client_cores + (cell.server_utilisation or 0.0)
    busy = {"cores_busy": use.cores_busy}
    if use.cores_busy + lab_cores >= BUSY_MACHINE * use.cores:
        yield ServiceLimit.MACHINE, {**busy, "lab_cores": lab_cores, "cores": use.cores}
    if use.cores_busy >= BUSY_WORKER * cell.cell.workers:
        yield ServiceLimit.WORKERS, busy
    limited = cell.model_requests.limited
    if limited:
        yield ServiceLimit.PROVIDER, {"refused": limited, "started": cell.sessions.started}


def _waits(
    cell: CellResult, use: ServiceUse, lowest: CellResult, least_share: float, least_s: float
) -> Mapping[str, Any] | None:
    """Return what there is to say of waits inside the service; ``None`` if they are no limit.

    What the mocked services take is none: not where all that it asked of them explains the waits,
    and these are no longer than at the lowest load.
    """
    parts = cell.time_parts_s
    if parts is None:
        return None
    most = use.asked[0] if use.asked else None
    asked_s = sum(each.total_s for each in use.asked) / max(1, cell.sessions.started)
    before_s = parts.remainder if lowest.time_parts_s is None else lowest.time_parts_s.remainder
    grown_s = max(0.0, parts.remainder - before_s)
    excess_s = max(grown_s, parts.remainder - asked_s)
    whole_s: float = sum(astuple(parts))
    if excess_s < max(least_s, least_share * whole_s):
        return None
    return {
        "cores_busy": use.cores_busy,
        "share": parts.remainder / whole_s,
        "waited_s": parts.remainder,
        "grown_s": grown_s,
        "from_load": lowest.cell.concurrency,
        "host": "" if most is None else most.host,
        "asked_s": 0.0 if most is None else most.total_s / max(1, cell.sessions.started),
    }
