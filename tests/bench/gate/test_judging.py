"""A cell judged by structure and work together."""

from dataclasses import replace

import pytest
from warpbench.bench.gate.baseline import CellBaseline
from warpbench.bench.gate.judging import judge
from warpbench.bench.gate.measuring import Measured, NotMeasured
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.records import LatencySummary
from warpbench.bench.results.verdict import CellVerdict, Verdict
from warpbench.bench.runner.environment import Difference

from ...built import CELL
from .structure.test_compare import EXAMPLE as STRUCTURE
from .work.test_compare import BEFORE as WORK

BEFORE = CellBaseline(
    cell=CELL,
    structure=STRUCTURE,
    work=WORK,
)
SAME = Measured(STRUCTURE, WORK, frozenset())


def verdict(after: Measured | NotMeasured, *differences: Difference) -> CellVerdict:
    return judge("cell", BEFORE, after, Tolerances(), differences)


def test_what_is_as_it_was_has_held() -> None:
    assert verdict(SAME) == CellVerdict("cell", Verdict.PASSED)


def test_a_cell_that_came_to_nothing_is_not_judged() -> None:
    judged = verdict(NotMeasured("crashed: killed by SIGSEGV"))
    assert judged == CellVerdict(
        "cell", Verdict.COULD_NOT_JUDGE, reason="crashed: killed by SIGSEGV"
    )


def test_another_workload_is_not_judged() -> None:
    other = replace(STRUCTURE, ideal_latency_s=LatencySummary(p50=3.0))
    assert verdict(replace(SAME, structure=other)).verdict is Verdict.COULD_NOT_JUDGE
    fewer = replace(WORK, sessions=1)
    assert verdict(replace(SAME, work=fewer)).verdict is Verdict.COULD_NOT_JUDGE


def test_what_a_faster_program_costs_is_its_price_and_no_regression() -> None:
    faster = replace(STRUCTURE, makespan_s=0.6)
    judged = verdict(Measured(faster, replace(WORK, python_calls=10_100, tasks=90), frozenset()))
    assert judged.verdict is Verdict.IMPROVED
    assert [change.text for change in judged.changes] == ["makespan 1.000 s → 0.600 s (-40.0%)"]
    assert judged.notes == (
        "the price of it: +10 Python calls per session (1,000 → 1,010, +1.0%)",
        "the price of it: +6 tasks per session (3 → 9, +200.0%)",
    )


def test_memory_kept_is_noted_and_decides_nothing() -> None:
    judged = verdict(replace(SAME, work=replace(WORK, blocks_kept=8_000)))
    assert judged.verdict is Verdict.PASSED
    assert judged.notes == (
        "+400 kept memory blocks per session (400 → 800, +100.0%): does a session leave "
        "something behind?",
    )


@pytest.mark.parametrize("makespan_s", [0.99, 1.0, 1.5])
def test_a_price_higher_than_the_gain_is_a_regression(makespan_s: float) -> None:
    structure = replace(STRUCTURE, makespan_s=makespan_s)
    judged = verdict(Measured(structure, replace(WORK, python_calls=11_000), frozenset()))
    assert judged.verdict is Verdict.REGRESSED


@pytest.mark.parametrize(
    ("difference", "compares"),
    [
        (Difference("Python", "3.11.7", "3.12.1"), False),
        (Difference("openai", "3.52.0", "3.53.0"), False),
        # The code took up a package, or dropped one: that is its own doing.
        (Difference("orjson", None, "3.10"), True),
        (Difference("orjson", "3.10", None), True),
    ],
)
def test_calls_under_another_version_are_no_regression(
    difference: Difference, *, compares: bool
) -> None:
    more = Measured(STRUCTURE, replace(WORK, python_calls=11_000), frozenset())
    expected = Verdict.REGRESSED if compares else Verdict.PASSED
    assert verdict(more, difference).verdict is expected
    slower = Measured(replace(STRUCTURE, makespan_s=2.0), WORK, frozenset())
    assert verdict(slower, difference).verdict is Verdict.REGRESSED
