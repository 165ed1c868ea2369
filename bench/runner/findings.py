"""Warnings about results, as values: what a reader must know before trusting a number."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple

from ...mocks.transports.registry import require_transport
from ..results.blocked_loop import Cause, LoopBlocker
from ..results.cell import FACTORS
from ..results.finding_text import finding
from ..results.records import CellResult, Finding, FindingKind, Status
from ..results.refused_hosts import RefusedHost
from ..results.time_parts import TimeParts
from ..results.wrong_requests import sender_text, session_sending
from ..statistics.own_waits import counts_at, shares_of_places
from ..statistics.steadiness import CHANGE_WORTH_REPORTING, trend_over
from .service_findings import service_findings

_SLACK = 1e-9
_DELIVERED = 0.95

BLOCKED_LONG_S = 0.05
"""The shortest block of an event loop that is worth a warning."""

BLOCKED_OFTEN = 0.05
"""The share of the makespan from which shorter blocks are worth one, too."""

WAITED_LONG = 0.05
"""The share of sessions' time from which waits inside their own code are worth one, and waits for
a free connection."""

WAITED_LEAST_S = 1e-3
"""The shortest mean of such waits that is worth one: below it is what a busy machine adds."""

BUSY_SERVER = 0.7
"""The share of a core from which waiting for the mock model's server shows in the figures."""


def findings_of(cells: Iterable[CellResult]) -> tuple[Finding, ...]:
    """Return the warnings that the results of a run give rise to."""
    measured = [cell for cell in cells if cell.status is Status.MEASURED]
    of_cells = (each for cell in measured for each in _of_cell(cell))
    return (
        *of_cells,
        *_loop_blocked(measured),
        *_tools_in_turn(measured),
        *_own_waits(measured),
        *_pools_too_small(measured),
        *_requests_refused(measured),
        *service_findings(measured, name_of, least_share=WAITED_LONG, least_s=WAITED_LEAST_S),
        *_not_steady(measured),
    )


def interrupted(done: int, planned: int) -> Finding:
    """Return the warning that a run was stopped before it had every cell."""
    return finding(FindingKind.INTERRUPTED, done=done, planned=planned)


def name_of(result: CellResult) -> str:
    """Return the name of a cell in a sentence: ``tools/gather/uvloop at concurrency 100``."""
    cell = result.cell
    if cell.workers:  # how its requests run is up to the service
        workers = cell.unusual["workers"]
        return f"{cell.scenario} at concurrency {cell.concurrency} with {workers}"
    more = "".join(f" {FACTORS[factor].before} {value}" for factor, value in cell.unusual.items())
    name = f"{cell.scenario}/{cell.strategy}/{cell.loop}"
    return f"{name} at concurrency {cell.concurrency}{more}"


def _of_cell(result: CellResult) -> Iterator[Finding]:
    counts, cell = result.sessions, name_of(result)
    asked = result.cell.session_count * result.trials
    if counts.started != asked:
        yield finding(FindingKind.SESSIONS_LOST, cell=cell, asked=asked, started=counts.started)
    unsuccessful = counts.started - counts.succeeded
    if unsuccessful:
        yield finding(
            FindingKind.SESSIONS_FAILED,
            cell=cell,
            unsuccessful=unsuccessful,
            started=counts.started,
            error=result.error or "unknown",
        )
    if result.cell.split_limits:
        yield finding(FindingKind.LIMITS_SPLIT, cell=cell, processes=result.cell.processes)
    yield from _text_leaked(result)
    yield from _requests_wrong(result)
    yield from _tools_not_run(result)
    if result.server_utilisation is not None and result.server_utilisation > BUSY_SERVER:
        yield finding(
            FindingKind.SERVER_BOUND,
            cell=cell,
            utilisation=result.server_utilisation,
            capacity_per_s=result.server_capacity_per_s or 0.0,
        )
    if (
        result.asked_per_s is not None
        and result.delivered_per_s is not None
        and result.delivered_per_s < result.asked_per_s * _DELIVERED
    ):
        yield finding(
            FindingKind.LOAD_NOT_DELIVERED,
            cell=cell,
            asked_per_s=result.asked_per_s,
            delivered_per_s=result.delivered_per_s,
        )
    if not result.keeps_concurrency:
        in_flight = result.mean_in_flight or 0.0
        yield finding(FindingKind.ABOVE_CONCURRENCY, cell=cell, in_flight=in_flight)
    elif result.efficiency is not None and result.efficiency > 1 + _SLACK:
        yield finding(FindingKind.ABOVE_IDEAL, cell=cell, efficiency=result.efficiency)


def _text_leaked(result: CellResult) -> Iterator[Finding]:
    found = result.isolation
    if found.leaked_sessions:
        first = found.leaks[0]
        yield finding(
            FindingKind.TEXT_LEAKED,
            cell=name_of(result),
            sessions=found.leaked_sessions,
            started=result.sessions.started,
            session=first.session,
            owner=first.owner,
            model_call=first.model_call or 0,
            place=first.place,
        )


def _requests_wrong(result: CellResult) -> Iterator[Finding]:
    if result.wrong_requests:
        first = result.wrong_requests[0]
        yield finding(
            FindingKind.REQUESTS_WRONG,
            cell=name_of(result),
            who=sender_text(session_sending(first)),
            model_call=first.step + 1,
            reason=first.reason,
            place=first.place,
        )


def _tools_not_run(result: CellResult) -> Iterator[Finding]:
    found, cell = result.tools_not_run, name_of(result)
    if found.answered:
        yield finding(
            FindingKind.TOOLS_ANSWERED,
            cell=cell,
            calls=found.answered,
            sessions=found.answered_sessions,
        )
    if found.optional:
        yield finding(
            FindingKind.TOOLS_LEFT_OUT,
            cell=cell,
            calls=found.optional,
            sessions=found.optional_sessions,
        )


def _loop_blocked(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """Yield one warning for each place that blocked a loop, however many cells it did so in."""
    by_place: dict[tuple[str, str, Cause], list[tuple[LoopBlocker, CellResult]]] = {}
    for result in cells:
        for blocker in result.loop_blockers:
            if _is_worth_reporting(blocker, result):
                key = (result.cell.scenario, blocker.place, blocker.cause)
                by_place.setdefault(key, []).append((blocker, result))
    for (_, place, cause), found in by_place.items():
        worst, result = max(found, key=lambda pair: pair[0].total_s)
        yield finding(
            FindingKind.LOOP_BLOCKED,
            cell=name_of(result),
            place=place,
            tool=_tool_of(place),
            at=worst.stack[-1] if worst.stack else "",
            cause=cause.value,
            longest_s=worst.longest_s,
            total_s_per_trial=worst.total_s / result.trials,
            other_cells=len(found) - 1,
        )


def _tool_of(place: str) -> str:
    """Return the name of the lab's tool before a place, if there is one."""
    return place.rpartition(" (")[0]


def _own_waits(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """Yield one warning for each place of the user's at which sessions waited for long.

    And one where no place is known, unless the waits that block a loop explain it.
    """
    by_place: dict[tuple[str, str, str], list[tuple[float, CellResult]]] = {}
    for result in cells:
        share = _own_share(result)
        if share < WAITED_LONG or result.service is not None:
            continue
        is_blocked = any(each.cause is Cause.WAITING for each in result.loop_blockers)
        for (place, awaits), of_place in shares_of_places(result, share).items():
            if of_place >= WAITED_LONG and (place or not is_blocked):
                key = (result.cell.scenario, place, awaits)
                by_place.setdefault(key, []).append((of_place, result))
    for (_, place, awaits), found in by_place.items():
        share, result = max(found, key=lambda pair: pair[0])
        yield finding(
            FindingKind.OWN_WAIT,
            cell=name_of(result),
            place=place,
            awaits=awaits,
            share=share,
            other_cells=len(found) - 1,
            **counts_at(result, place, awaits),
        )


def _tools_in_turn(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """Yield one warning a scenario for own tools that ran one after another, where it cost most."""
    by_scenario: dict[str, list[tuple[float, CellResult]]] = {}
    for result in cells:
        share = _share(result, lambda parts: parts.serialised)
        if share >= WAITED_LONG and any(each.in_turn for each in result.own_waits):
            by_scenario.setdefault(result.cell.scenario, []).append((share, result))
    for found in by_scenario.values():
        share, result = max(found, key=lambda pair: pair[0])
        longest, *others = [each for each in result.own_waits if each.in_turn]
        parts = result.time_parts_s
        yield finding(
            FindingKind.TOOLS_IN_TURN,
            cell=name_of(result),
            place=longest.place,
            awaits=longest.awaits,
            **counts_at(result, longest.place, longest.awaits),
            other_places=len(others),
            saves_s=0.0 if parts is None else parts.serialised,
            share=share,
            other_cells=len(found) - 1,
        )


def _pools_too_small(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """Yield one warning for each size of pool in which requests waited for long, or gave up."""
    by_pool: dict[tuple[str, str, int], list[tuple[float, int, CellResult]]] = {}
    for result in cells:
        share = _share(result, lambda parts: parts.connection)
        # The waits are those of all pools together: the one of most waits is named.
        for number, pool in enumerate(result.pools):
            of_pool = 0.0 if number else share
            if of_pool >= WAITED_LONG or pool.timeouts:
                key = (result.cell.scenario, pool.client, pool.most)
                by_pool.setdefault(key, []).append((of_pool, pool.timeouts, result))
    for (_, client, most), found in by_pool.items():
        share, timeouts, result = max(found, key=lambda each: each[:2])
        yield finding(
            FindingKind.POOL_TOO_SMALL,
            cell=name_of(result),
            client=client,
            most=most,
            share=share,
            timeouts=timeouts,
            other_cells=len(found) - 1,
        )


def _requests_refused(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """Yield one warning for each host to which requests were refused, where that cost most."""
    by_host: dict[tuple[str, str], list[tuple[RefusedHost, CellResult]]] = {}
    for result in cells:
        for refused in result.refused:
            key = (result.cell.scenario, refused.host)
            by_host.setdefault(key, []).append((refused, result))
    for (_, host), found in by_host.items():
        refused, result = max(found, key=_weight)
        yield finding(
            FindingKind.REQUESTS_REFUSED,
            cell=name_of(result),
            host=host,
            requests=refused.requests,
            requests_before=refused.requests_before,
            from_children=refused.from_children,
            in_process=require_transport(result.cell.transport).in_process,
            sessions=refused.sessions,
            started=result.sessions.started,
            cost_s=refused.cost_s,
            share=result.share_of_time(refused.cost_s),
            trials=result.trials,
            other_cells=len(found) - 1,
        )


def _weight(found: tuple[RefusedHost, CellResult]) -> tuple[float, int, int]:
    refused, _ = found
    return refused.cost_s, refused.requests, refused.requests_before


def _own_share(result: CellResult) -> float:
    """Return the share of sessions' time that they waited inside their own code."""
    return _share(result, lambda parts: parts.remainder)


def _share(result: CellResult, part_of: Callable[[TimeParts], float]) -> float:
    """Return a part's share of sessions' time; 0 where it is too short to be worth a warning."""
    parts = result.time_parts_s
    if parts is None or part_of(parts) < WAITED_LEAST_S:
        return 0.0
    whole_s: float = sum(astuple(parts))
    return part_of(parts) / whole_s


def _not_steady(cells: Sequence[CellResult]) -> Iterator[Finding]:
    """Yield one warning for all cells that drift, and one for a machine that does."""
    drifting = [cell for cell in cells if abs(cell.drift or 0) >= CHANGE_WORTH_REPORTING]
    if drifting:
        worst = max(drifting, key=lambda cell: abs(cell.drift or 0))
        yield finding(
            FindingKind.NOT_STEADY,
            cell=name_of(worst),
            drift=worst.drift or 0.0,
            other_cells=len(drifting) - 1,
        )
    trend = trend_over(cells)
    if trend is not None and abs(trend) >= CHANGE_WORTH_REPORTING:
        yield finding(FindingKind.MACHINE_DRIFTED, trend=trend)


def _is_worth_reporting(blocker: LoopBlocker, cell: CellResult) -> bool:
    share = blocker.total_s / cell.trials / cell.makespan_s if cell.makespan_s else 0
    return blocker.longest_s >= BLOCKED_LONG_S or share >= BLOCKED_OFTEN
