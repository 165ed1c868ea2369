"""What a service as deployed took, in a line."""

from dataclasses import replace

import pytest
from warpbench.bench.results.records import SessionCounts
from warpbench.bench.results.service_use import AskedHost, MemoryKind, ServiceUse
from warpbench.reports.comparison.service_text import service_lines

from ...built import cell_result

pytestmark = pytest.mark.once

USE = ServiceUse(
    cpu_s=13.0,
    elapsed_s=10.0,
    processes=4,
    threads=14,
    files=61,
    memory_bytes=210_000_000,
    memory_kind=MemoryKind.PSS,
)
CELL = cell_result(concurrency=10, workers=2, sessions=SessionCounts(started=50, succeeded=50))


def test_a_cell_has_a_line_and_that_of_another_target_none() -> None:
    (line,) = service_lines([replace(CELL, service=USE), cell_result()])

    assert line == (
        "service, 2 workers, concurrency 10: 1.30 cores busy, 210 MB (PSS), 4 processes, "
        "14 threads, 61 open files"
    )


def test_what_came_meanwhile_what_it_asked_and_a_busy_client_are_told() -> None:
    asked = (AskedHost(host="database.example.com", requests=100, total_s=10.1),)
    use = replace(USE, started=1, client_cpu_s=6.0, asked=asked)

    (line,) = service_lines([replace(CELL, service=use)])

    assert line.endswith(
        "61 open files, 1 process started meanwhile, the lab's client 0.60 cores; it asked "
        "database.example.com 2 × 101 ms a session"  # noqa: RUF001 (a times sign is meant)
    )
