"""Warnings about results: what is reported, once, and what is not."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from warpbench.bench.results.blocked_loop import Cause, LoopBlocker
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.records import (
    CellResult,
    FindingKind,
    LatencySummary,
    SessionCounts,
)
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.runner.findings import findings_of
from warpbench.mocks.observe.pools import PoolUse

from ...built import cell_result

pytestmark = pytest.mark.once


def blocker(place: str, total_s: float, longest_s: float = 0.3, **more: object) -> LoopBlocker:
    fields = {"cause": Cause.COMPUTING, "times": 1, "stack": (), **more}
    return LoopBlocker(place=place, total_s=total_s, longest_s=longest_s, **fields)  # type: ignore[arg-type]


def cell(*blockers: LoopBlocker, strategy: str = "gather", scenario: str = "tools") -> CellResult:
    return cell_result(
        strategy=strategy,
        scenario=scenario,
        trials=2,
        sessions=SessionCounts(started=80, succeeded=80),
        makespan_s=100.0,
        loop_blockers=blockers,
    )


def reported(*cells: CellResult) -> list[Mapping[str, int | float | str]]:
    return [each.values for each in findings_of(cells) if each.kind is FindingKind.LOOP_BLOCKED]


def test_a_place_is_reported_once_where_it_was_worst_and_in_how_many_cells_more() -> None:
    (values,) = reported(
        cell(blocker("agent.py:summarise", 0.6)),
        cell(blocker("agent.py:summarise", 0.9), strategy="taskgroup"),
        cell(blocker("agent.py:summarise", 0.3), strategy="workers"),
    )
    assert values == {
        "cell": "tools/taskgroup/asyncio at concurrency 10",
        "place": "agent.py:summarise",
        "tool": "",
        "at": "",
        "cause": "computing",
        "longest_s": 0.3,
        "total_s_per_trial": 0.45,  # of two
        "other_cells": 2,
    }


def test_each_place_cause_and_scenario_is_reported_by_itself() -> None:
    found = reported(
        cell(blocker("a.py:one", 0.6), blocker("a.py:two", 0.6)),
        cell(blocker("a.py:one", 0.6, cause=Cause.WAITING)),
        cell(blocker("a.py:one", 0.6), scenario="research"),
    )
    assert len(found) == 4
    assert sum(values["cause"] == "waiting" for values in found) == 1


def test_short_and_seldom_is_not_worth_a_warning_and_often_is() -> None:
    assert reported(cell(blocker("a.py:one", 0.04, longest_s=0.04))) == []
    assert len(reported(cell(blocker("a.py:one", 20.0, longest_s=0.04)))) == 1


def kinds(**figures: float) -> list[FindingKind]:
    return [each.kind for each in findings_of([cell_result(concurrency=10, **figures)])]


def test_more_sessions_in_flight_than_asked_for_are_why_a_cell_beats_the_ideal() -> None:
    assert kinds(efficiency=1.0, mean_in_flight=10.0) == []
    assert kinds(efficiency=2.6, mean_in_flight=10.0) == [FindingKind.ABOVE_IDEAL]
    assert kinds(efficiency=2.6, mean_in_flight=13.1) == [FindingKind.ABOVE_CONCURRENCY]
    assert kinds(efficiency=0.9, mean_in_flight=13.1) == [FindingKind.ABOVE_CONCURRENCY]


def waiting(
    *waits: OwnWait,
    share: float = 0.5,
    strategy: str = "gather",
    blockers: tuple[LoopBlocker, ...] = (),
) -> CellResult:
    return cell_result(
        strategy=strategy,
        trials=2,
        sessions=SessionCounts(started=80, succeeded=80),
        makespan_s=100.0,
        time_parts_s=TimeParts(llm=1 - share, remainder=share),
        own_waits=waits,
        loop_blockers=blockers,
    )


def own_waits_reported(*cells: CellResult) -> list[Mapping[str, int | float | str]]:
    return [each.values for each in findings_of(cells) if each.kind is FindingKind.OWN_WAIT]


LOCK = OwnWait(place="agent.py:session:18", awaits="asyncio.Lock.acquire", seen_s=3.0)
SLEEP = OwnWait(place="agent.py:look_up:5", awaits="asyncio.sleep", seen_s=1.0)


def test_a_wait_inside_the_users_code_is_reported_with_its_part_of_the_time() -> None:
    lock, sleep = own_waits_reported(
        waiting(LOCK, SLEEP), waiting(LOCK, share=0.25, strategy="taskgroup")
    )
    assert lock == {
        "cell": "tools/gather/asyncio at concurrency 10",
        "place": "agent.py:session:18",
        "awaits": "asyncio.Lock.acquire",
        "share": 0.375,
        "other_cells": 1,
    }
    assert (sleep["share"], sleep["other_cells"]) == (0.125, 0)


def test_a_wait_that_took_little_of_the_time_is_not_reported() -> None:
    assert own_waits_reported(waiting(LOCK, share=0.04)) == []
    brief = replace(waiting(LOCK), time_parts_s=TimeParts(cpu=1e-4, remainder=9e-4))
    assert own_waits_reported(brief) == []


NOTED = replace(LOCK, waits=160, sessions=80, lost_s=20.0)


def test_where_each_wait_was_noted_its_count_is_told() -> None:
    lock, rest = own_waits_reported(waiting(NOTED))
    assert (lock["place"], lock["waits_per_session"]) == ("agent.py:session:18", 2.0)
    assert lock["mean_s"] == 3.0 / 160
    assert (lock["share"], rest["place"], rest["share"]) == (0.25, "", 0.25)
    assert own_waits_reported(waiting(replace(NOTED, lost_s=40.0, blocks_loop=True))) == []


def test_own_tools_that_ran_one_after_another_are_reported_with_what_at_once_saves() -> None:
    def in_turn(share: float, strategy: str = "gather", *others: OwnWait) -> CellResult:
        parts = TimeParts(llm=1 - share, serialised=share)
        look_up = replace(NOTED, in_turn=True)
        return cell_result(strategy=strategy, time_parts_s=parts, own_waits=(look_up, *others))

    cells = [in_turn(0.2), in_turn(0.3, "taskgroup", replace(NOTED, place="b", in_turn=True))]
    found = [each for each in findings_of(cells) if each.kind is FindingKind.TOOLS_IN_TURN]
    assert [each.values for each in found] == [
        {
            "cell": "tools/taskgroup/asyncio at concurrency 10",
            "place": "agent.py:session:18",
            "awaits": "asyncio.Lock.acquire",
            "waits_per_session": 2.0,
            "mean_s": 3.0 / 160,
            "other_places": 1,
            "saves_s": 0.3,
            "share": 0.3,
            "other_cells": 1,
        }
    ]
    assert findings_of([in_turn(0.04)]) == ()
    labs = cell_result(time_parts_s=TimeParts(llm=0.5, serialised=0.5))
    assert findings_of([labs]) == ()


def test_it_is_said_that_a_place_is_not_known_unless_a_blocked_loop_explains_it() -> None:
    (unknown,) = own_waits_reported(waiting())
    assert unknown["place"] == ""
    blocking = blocker("agent.py:look_up", 0.6, cause=Cause.WAITING)
    assert own_waits_reported(waiting(blockers=(blocking,))) == []


def short_of_connections(
    *pools: PoolUse, share: float = 0.5, strategy: str = "gather"
) -> CellResult:
    return cell_result(
        strategy=strategy,
        time_parts_s=TimeParts(llm=1 - share, connection=share),
        pools=pools,
    )


def pools_reported(*cells: CellResult) -> list[Mapping[str, int | float | str]]:
    return [each.values for each in findings_of(cells) if each.kind is FindingKind.POOL_TOO_SMALL]


OF_FIVE = PoolUse(client="httpx2", most=5, waits=30)


def test_a_pool_smaller_than_the_load_is_reported_with_its_size_and_its_client() -> None:
    (found,) = pools_reported(
        short_of_connections(OF_FIVE), short_of_connections(OF_FIVE, share=0.6, strategy="threads")
    )
    assert found == {
        "cell": "tools/threads/asyncio at concurrency 10",
        "client": "httpx2",
        "most": 5,
        "share": 0.6,
        "timeouts": 0,
        "other_cells": 1,
    }


def test_of_several_pools_the_one_with_the_most_waits_is_named() -> None:
    other = PoolUse(client="httpx", most=2, waits=3)
    (found,) = pools_reported(short_of_connections(OF_FIVE, other))
    assert found["client"] == "httpx2"


def test_a_short_wait_for_a_connection_is_not_reported_and_one_that_was_given_up_is() -> None:
    assert pools_reported(short_of_connections(OF_FIVE, share=0.04)) == []
    gave_up = replace(OF_FIVE, timeouts=1)
    (found,) = pools_reported(short_of_connections(gave_up, share=0.04))
    assert (found["share"], found["timeouts"]) == (0.04, 1)


def refused(cost_s: float, strategy: str = "gather", host: str = "a.example") -> CellResult:
    return cell_result(
        strategy=strategy,
        trials=2,
        sessions=SessionCounts(started=200, succeeded=200),
        latency_s=LatencySummary(mean=10.0),
        refused=(RefusedHost(host=host, requests=3600, sessions=200, cost_s=cost_s),),
    )


def refused_reported(*cells: CellResult) -> list[Mapping[str, int | float | str]]:
    found = findings_of(cells)
    return [each.values for each in found if each.kind is FindingKind.REQUESTS_REFUSED]


def test_refused_requests_are_reported_once_a_host_where_they_cost_most() -> None:
    first, second = refused_reported(
        refused(900.0), refused(1580.0, strategy="threads"), refused(0.0, host="b.example")
    )
    assert first == {
        "cell": "tools/threads/asyncio at concurrency 10",
        "host": "a.example",
        "requests": 3600,
        "requests_before": 0,
        "from_children": 0,
        "in_process": True,
        "sessions": 200,
        "started": 200,
        "trials": 2,
        "cost_s": 1580.0,
        "share": 0.79,
        "other_cells": 1,
    }
    assert (second["host"], second["cost_s"], second["share"]) == ("b.example", 0.0, 0.0)


def test_a_host_that_was_asked_before_the_sessions_is_reported_once_too() -> None:
    imported = RefusedHost(host="b.example", requests=0, requests_before=4)
    both = RefusedHost(host="b.example", requests=7, sessions=7, requests_before=2)
    cells = [
        replace(refused(900.0), refused=(imported,)),
        replace(refused(900.0, strategy="threads"), refused=(both,)),
    ]

    (found,) = refused_reported(*cells)
    assert (found["requests"], found["requests_before"], found["other_cells"]) == (7, 2, 1)
    (found,) = refused_reported(cells[0])
    assert (found["requests"], found["requests_before"], found["trials"]) == (0, 4, 2)
