"""What a service took over several trials."""

from dataclasses import replace

import pytest
from warpbench.bench.results.service_use import (
    AskedHost,
    MemoryKind,
    ProcessEnded,
    ServiceUse,
    summed,
)

pytestmark = pytest.mark.once

ENDED = ProcessEnded(pid=7, at_ns=5, status=-9)
FIRST = ServiceUse(
    cpu_s=2.0,
    elapsed_s=4.0,
    processes=3,
    threads=9,
    files=50,
    memory_bytes=100,
    memory_kind=MemoryKind.PSS,
    client_cpu_s=0.4,
    cores=2,
    asked=(AskedHost(host="database", requests=2, total_s=0.2),),
)
SECOND = replace(
    FIRST,
    cpu_s=1.0,
    elapsed_s=2.0,
    processes=4,
    memory_bytes=90,
    started=1,
    ended=(ENDED,),
    ended_count=1,
    asked=(
        AskedHost(host="search", requests=1, total_s=1.0),
        AskedHost(host="database", requests=2, total_s=0.4),
    ),
)


def test_times_and_counts_add_up_and_of_sizes_the_greatest_counts() -> None:
    use = summed([FIRST, SECOND])

    assert use is not None
    assert (use.cpu_s, use.elapsed_s, use.cores_busy) == (3.0, 6.0, 0.5)
    assert (use.processes, use.memory_bytes, use.started, use.ended_count) == (4, 100, 1, 1)
    assert use.ended == (replace(ENDED, trial=1),)
    assert [(each.host, each.requests) for each in use.asked] == [("search", 1), ("database", 4)]
    assert use.client_cores == 0.8 / 6.0


def test_without_a_service_there_is_nothing() -> None:
    assert summed([None, None]) is None
    assert summed([]) is None
