"""What a run warns of about a service as deployed, by what it was seen to do."""

from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.model_requests import ModelRequests
from warpbench.bench.results.records import CellResult, Finding, FindingKind, SessionCounts
from warpbench.bench.results.service_use import AskedHost, MemoryKind, ProcessEnded, ServiceUse
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.runner.findings import findings_of

from ...built import cell_result

pytestmark = pytest.mark.once

USE = ServiceUse(
    cpu_s=2.0,
    elapsed_s=10.0,
    processes=4,
    threads=9,
    files=10,
    memory_bytes=50_000_000,
    memory_kind=MemoryKind.PSS,
    cores=8,
)
ENDED = ProcessEnded(pid=7, at_ns=1_500_000_000, status=-9, replaced_after_ns=500_000_000)


def cell(concurrency: int = 10, workers: int = 2, **more: Any) -> CellResult:
    use = {key: more.pop(key) for key in list(more) if key in USE.__dataclass_fields__}
    return cell_result(
        scenario="chat",
        target="serve:app {port}",
        concurrency=concurrency,
        workers=workers,
        trials=1,
        **{
            "sessions": SessionCounts(started=100, succeeded=100),
            "time_parts_s": TimeParts(llm=1.0),
            **more,
        },
        service=replace(USE, **use),
    )


def warned(*cells: CellResult) -> list[Finding]:
    kinds = {FindingKind.PROCESS_ENDED, FindingKind.SERVICE_LIMIT, FindingKind.CLIENT_BOUND}
    return [each for each in findings_of(cells) if each.kind in kinds]


def limits(*cells: CellResult) -> dict[Any, Any]:
    return {each.values["limit"]: each.values["cell"] for each in warned(*cells)}


def test_of_one_that_does_well_nothing_is_said() -> None:
    assert warned(cell()) == []
    assert [each.kind for each in findings_of([cell()])] == []


def test_a_process_that_ended_is_told_with_what_became_of_the_sessions() -> None:
    counts = SessionCounts(started=100, succeeded=94, failed=6)

    (found,) = warned(cell(sessions=counts, ended=(ENDED,), ended_count=1))

    assert dict(found.values) == {
        "cell": "chat at concurrency 10 with 2 workers",
        "pid": 7,
        "trial": 0,
        "at_s": 1.5,
        "how": "killed by SIGKILL",
        "was_command": False,
        "is_replaced": True,
        "replaced_s": 0.5,
        "others": 0,
        "unsuccessful": 6,
        "started": 100,
    }


def test_the_end_of_the_command_is_told_before_those_of_its_workers() -> None:
    command = ProcessEnded(pid=1, at_ns=2_000_000_000, status=None, was_command=True)

    (found,) = warned(cell(ended=(ENDED, command), ended_count=2))

    assert (found.values["pid"], found.values["how"], found.values["others"]) == (1, "", 1)
    assert not found.values["is_replaced"]


def test_each_limit_is_told_at_the_lowest_load_at_which_it_is_met() -> None:
    loads = [
        cell(10),
        cell(50, cpu_s=18.0),
        cell(20, time_parts_s=TimeParts(llm=0.9, remainder=0.1)),
        cell(100, cpu_s=19.0, model_requests=ModelRequests(limited=5)),
    ]

    assert limits(*loads) == {
        "waits": "chat at concurrency 20 with 2 workers",
        "workers": "chat at concurrency 50 with 2 workers",
        "provider": "chat at concurrency 100 with 2 workers",
    }
    assert [each.values["other_cells"] for each in warned(*loads)] == [0, 1, 0]


def test_workers_are_judged_by_how_many_there_are() -> None:
    assert limits(cell(workers=1, cpu_s=9.0)) == {"workers": "chat at concurrency 10 with 1 worker"}
    assert limits(cell(workers=2, cpu_s=9.0)) == {}


def test_the_machine_is_the_limit_where_all_its_cores_are_busy_with_it_and_the_lab() -> None:
    busy = cell(workers=4, cpu_s=14.0, client_cpu_s=3.0, server_utilisation=0.2, cores=2)

    (found,) = warned(busy)

    assert found.values["limit"] == "machine"
    assert found.values["lab_cores"] == pytest.approx(0.5)


def test_waits_name_the_mocked_service_that_took_longest_and_no_line() -> None:
    asked = AskedHost(host="database", requests=200, total_s=20.0)

    (found,) = findings_of([cell(time_parts_s=TimeParts(llm=0.5, remainder=0.5), asked=(asked,))])

    assert (found.kind, found.values["host"]) == (FindingKind.SERVICE_LIMIT, "database")
    assert (found.values["asked_s"], found.values["share"]) == (0.2, 0.5)


def test_what_mocked_services_take_is_no_limit_until_the_waits_grow() -> None:
    asked = (AskedHost(host="database", requests=200, total_s=20.0),)
    few = cell(10, time_parts_s=TimeParts(llm=0.8, remainder=0.2), asked=asked)
    more = cell(20, time_parts_s=TimeParts(llm=0.8, remainder=0.3), asked=asked)

    assert warned(few) == []
    (found,) = warned(few, more)
    assert found.values["cell"] == "chat at concurrency 20 with 2 workers"
    assert (found.values["grown_s"], found.values["from_load"]) == (pytest.approx(0.1), 10)


def test_a_client_that_is_near_a_core_is_told() -> None:
    assert [each.kind for each in warned(cell(client_cpu_s=8.0))] == [FindingKind.CLIENT_BOUND]
    assert warned(cell(client_cpu_s=6.0)) == []
