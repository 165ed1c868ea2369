"""A baseline of each schema that there has been is read; what it lacks is told, not judged.

The files are of one cell, as ``warpbench baseline`` wrote them in its time.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.gate.baseline import (
    SCHEMA_VERSION,
    CellBaseline,
    not_recorded,
    read_baseline,
    write_baseline,
)
from warpbench.bench.gate.judging import judge
from warpbench.bench.gate.measuring import Measured
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.verdict import CellVerdict, Verdict

pytestmark = pytest.mark.once

FIXTURES = Path(__file__).parent / "fixtures"
NAME = "two-sleeps/agent/gather/asyncio@10"
OLDER = (2, 3, 4)
OF_SCHEMA_4 = (
    *("request_bytes", "streamed_model_calls", "service_request_bytes", "refused_requests"),
)
OF_SCHEMA_5 = (
    *("prompt_tokens", "completion_tokens", "ttft_s", "itl_s", "first_output_s"),
    "equal_model_calls",
)
OF_WORK = ("own_calls", "bytes_kept")
LACKING = {
    2: (*OF_SCHEMA_4, *OF_SCHEMA_5, *OF_WORK),
    3: (*OF_SCHEMA_4, *OF_SCHEMA_5, *OF_WORK),
    4: OF_SCHEMA_5,
}


def cell_of(schema: int) -> CellBaseline:
    return read_baseline(FIXTURES / f"schema_{schema}.json").cells[NAME]


def test_there_is_a_file_of_each_older_schema_that_is_read() -> None:
    assert sorted(file.name for file in FIXTURES.iterdir()) == [
        f"schema_{schema}.json" for schema in OLDER
    ]
    assert OLDER[-1] == SCHEMA_VERSION - 1


@pytest.mark.parametrize("schema", OLDER)
def test_its_figures_are_read_and_those_that_it_lacks_are_none(schema: int) -> None:
    cell = cell_of(schema)

    assert (cell.structure.makespan_s, cell.structure.model_calls) == (1.0, 10)
    assert (cell.work.http_requests, cell.work.sessions) == (10, 10)
    assert not_recorded([cell]) == LACKING[schema]


@pytest.mark.parametrize("schema", OLDER)
def test_what_it_lacks_is_not_judged(schema: int) -> None:
    before = cell_of(schema)
    structure = replace(
        before.structure,
        request_bytes=9_999,
        request_parts={"model": 9_999},
        streamed_model_calls=5,
        service_request_bytes={"weather.example": 9_999},
        refused_requests={"prices.example": 9_999},
        prompt_tokens=9_999,
        completion_tokens=9_999,
        ttft_s={"p50": 9.0},
        itl_s={"p50": 9.0},
        first_output_s={"p50": 9.0},
        equal_model_calls={"repeats": 9_999},
    )
    kept = {name: getattr(before.structure, name) for name in OF_SCHEMA_4}
    structure = replace(
        structure, **{name: value for name, value in kept.items() if value is not None}
    )
    work = before.work
    if work.own_calls is None:
        work = replace(work, own_calls={"agent": 9_999}, bytes_kept=9_999)
    after = Measured(structure, work, frozenset())

    assert judge("cell", before, after, Tolerances(own_calls=0.0)) == CellVerdict(
        "cell", Verdict.PASSED
    )


def test_a_baseline_of_now_lacks_nothing(tmp_path: Path) -> None:
    old = read_baseline(FIXTURES / "schema_3.json")
    cell = old.cells[NAME]
    structure = replace(
        cell.structure,
        request_bytes=1_280,
        request_parts={"model": 130},
        streamed_model_calls=0,
        service_request_bytes={},
        refused_requests={},
        prompt_tokens=5_000,
        completion_tokens=800,
        ttft_s={},
        itl_s={},
        first_output_s={},
        equal_model_calls={},
    )
    work = replace(cell.work, own_calls={"agent": 1_440}, bytes_kept=368_222)
    new = replace(old, cells={NAME: replace(cell, structure=structure, work=work)})

    write_baseline(new, tmp_path / "baseline.json")

    read = read_baseline(tmp_path / "baseline.json")
    assert read == replace(new, schema_version=SCHEMA_VERSION)
    assert not_recorded(read.cells.values()) == ()
