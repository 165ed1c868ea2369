"""Compiles the tables of faults: checks across keys, and fills in the defaults."""

from .diagnostics import refuse
from .distributions import Constant
from .faults import FaultKind, FaultSpec
from .schema import FaultTable


def fault_of(table: FaultTable, path: tuple[str | int, ...]) -> FaultSpec:
    """Return the fault that a table at a path declares.

    Raises:
        DeclarationError: The table contradicts itself.
    """
    whens = (table.probability, table.sessions, table.steps, table.attempts)
    if all(when is None for when in whens):
        refuse("one of probability, sessions, steps or attempts", "none of them", *path)
    is_status = table.kind is FaultKind.STATUS
    if is_status and table.status is None:
        refuse("the status of a fault of kind status", "nothing", *path, "status")
    if table.kind is FaultKind.SLOW_DRIP and table.latency_s is None:
        refuse("seconds by which the body is late", "nothing", *path, "latency_s")
    for key in ("status", "retry_after_s", "retry_after_ms"):
        if not is_status and getattr(table, key) is not None:
            refuse("kind status", f"{table.kind}, which has none", *path, key)
    return FaultSpec(
        kind=table.kind,
        probability=1.0 if table.probability is None else table.probability,
        sessions=_set_of(table.sessions),
        steps=_set_of(table.steps),
        attempts=_set_of(table.attempts),
        status=table.status or 500,
        retry_after_s=table.retry_after_s,
        retry_after_ms=table.retry_after_ms,
        latency=table.latency_s or Constant(0),
        share=table.share,
    )


def _set_of(numbers: list[int] | None) -> frozenset[int] | None:
    return None if numbers is None else frozenset(numbers)
