"""What a service as deployed took of the machine, in sentences that several views share."""

from collections.abc import Iterable

from ...bench.results.formatting import counted, listed, mean_count, mega_bytes, seconds, whole
from ...bench.results.records import CellResult

_CLIENT_WORTH_TELLING = 0.5
"""The share of a core from which what the lab's own client took is told."""


def service_lines(cells: Iterable[CellResult]) -> tuple[str, ...]:
    """Return a line for each cell of a service as deployed: what all its processes took."""
    return tuple(_line(cell) for cell in cells if cell.service is not None)


def _line(cell: CellResult) -> str:
    use = cell.service
    assert use is not None
    took = [
        f"{use.cores_busy:.2f} cores busy",
        f"{mega_bytes(use.memory_bytes)} ({use.memory_kind})",
        counted(use.processes, "process", plural="processes"),
        counted(use.threads, "thread"),
        counted(use.files, "open file"),
    ]
    if use.started:
        took.append(f"{counted(use.started, 'process', plural='processes')} started meanwhile")
    if use.client_cores >= _CLIENT_WORTH_TELLING:
        took.append(f"the lab's client {use.client_cores:.2f} cores")
    asked = [
        f"{each.host} {mean_count(each.requests / max(1, cell.sessions.started))} × "  # noqa: RUF001 (a times sign is meant)
        f"{seconds(each.mean_s)} a session"
        for each in use.asked
    ]
    more = f"; it asked {listed(asked)}" if asked else ""
    workers = counted(cell.cell.workers, "worker")
    load = whole(cell.cell.concurrency)
    return f"service, {workers}, concurrency {load}: {', '.join(took)}{more}"
