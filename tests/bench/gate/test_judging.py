"""A cell judged by structure and work together."""

from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.gate.baseline import CellBaseline
from warpbench.bench.gate.judging import hold_to, judge
from warpbench.bench.gate.measuring import Measured, NotMeasured
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.results.records import LatencySummary
from warpbench.bench.results.verdict import (
    CellVerdict,
    ChangeKind,
    NoteKind,
    Reason,
    ReasonKind,
    Verdict,
    not_measured,
)
from warpbench.bench.runner.environment import Difference
from warpbench.bench.statistics.objectives import Objective, Objectives, parse_objectives

from ...built import CELL
from .structure.test_compare import EXAMPLE as STRUCTURE
from .work.test_compare import BEFORE as WORK

pytestmark = pytest.mark.once

BEFORE = CellBaseline(
    cell=CELL,
    structure=STRUCTURE,
    work=WORK,
)
SAME = Measured(STRUCTURE, WORK, frozenset())


def verdict(after: Measured | NotMeasured, *differences: Difference) -> CellVerdict:
    return judge("cell", BEFORE, after, Tolerances(), differences)


def test_what_is_as_it_was_passes() -> None:
    assert verdict(SAME) == CellVerdict("cell", Verdict.PASSED)


def test_a_cell_that_came_to_nothing_is_not_judged() -> None:
    judged = verdict(NotMeasured("crashed: killed by SIGSEGV"))
    assert judged == not_measured("cell", "crashed: killed by SIGSEGV")
    assert judged.verdict is Verdict.COULD_NOT_JUDGE


def test_another_workload_is_not_judged() -> None:
    other = replace(STRUCTURE, ideal_latency_s=LatencySummary(p50=3.0))
    judged = verdict(replace(SAME, structure=other))
    assert judged.verdict is Verdict.COULD_NOT_JUDGE
    assert judged.reason == Reason(kind=ReasonKind.OTHER_WORKLOAD)
    fewer = replace(WORK, sessions=1)
    assert verdict(replace(SAME, work=fewer)).verdict is Verdict.COULD_NOT_JUDGE


def test_tools_that_are_left_out_are_named_as_what_makes_it_another_workload() -> None:
    fewer = STRUCTURE.tool_calls - 1
    other = replace(STRUCTURE, ideal_latency_s=LatencySummary(p50=3.0), tool_calls=fewer)
    judged = verdict(replace(SAME, structure=other))
    assert judged.verdict is Verdict.COULD_NOT_JUDGE
    assert judged.reason is not None
    assert judged.reason.kind is ReasonKind.OTHER_TOOL_CALLS
    assert judged.reason.change is not None
    assert (judged.reason.change.before, judged.reason.change.after) == (
        STRUCTURE.tool_calls,
        fewer,
    )


def test_a_service_that_is_asked_a_little_more_is_noted() -> None:
    before = replace(BEFORE, structure=replace(STRUCTURE, service_request_bytes={"a": 1_000}))
    after = replace(SAME, structure=replace(STRUCTURE, service_request_bytes={"a": 1_010}))
    judged = judge("cell", before, after, Tolerances())
    assert judged.verdict is Verdict.PASSED
    assert [(note.kind, note.change.kind) for note in judged.notes] == [
        (NoteKind.WITHIN_TOLERANCE, ChangeKind.SERVICE_REQUEST_BYTES)
    ]


def test_what_a_faster_program_costs_is_noted_and_no_regression() -> None:
    faster = replace(STRUCTURE, makespan_s=0.6)
    judged = verdict(Measured(faster, replace(WORK, python_calls=10_100, tasks=90), frozenset()))
    assert judged.verdict is Verdict.IMPROVED
    assert [change.kind for change in judged.changes] == [ChangeKind.MAKESPAN]
    assert [(note.kind, note.change.name) for note in judged.notes] == [
        (NoteKind.COST_OF_THE_GAIN, "python_calls"),
        (NoteKind.COST_OF_THE_GAIN, "tasks"),
    ]


def test_memory_kept_is_noted_and_decides_nothing() -> None:
    judged = verdict(replace(SAME, work=replace(WORK, blocks_kept=8_000)))
    assert judged.verdict is Verdict.PASSED
    (note,) = judged.notes
    assert note.kind is NoteKind.KEPT_MEMORY
    assert (note.change.before, note.change.after) == (4_000, 8_000)


@pytest.mark.parametrize("makespan_s", [0.99, 1.0, 1.5])
def test_a_cost_higher_than_the_gain_is_a_regression(makespan_s: float) -> None:
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


class TestObjective:
    """Each cell is to meet it, by the figure: in virtual time there is no noise."""

    def measured(self, max_s: float, **changes: Any) -> Measured:
        structure = replace(STRUCTURE, latency_s=LatencySummary(max=max_s), **changes)
        return Measured(structure, WORK, frozenset())

    def held(self, after: Measured | NotMeasured, limit_s: float) -> CellVerdict:
        """Judge a cell whose slowest session took a second when the baseline was made."""
        before = replace(BEFORE, structure=self.measured(1.0).structure)
        judged = judge("cell", before, after, Tolerances())
        return hold_to(Objectives((Objective("max", limit_s),)), judged, after)

    @pytest.mark.parametrize(
        ("max_s", "limit_s", "expected"),
        [
            (1.0, 1.0, Verdict.PASSED),
            (1.0, 0.9, Verdict.MISSED),
            (0.5, 0.6, Verdict.IMPROVED),
            (0.5, 0.4, Verdict.MISSED),
            (5.0, 9.0, Verdict.REGRESSED),
            (5.0, 4.0, Verdict.REGRESSED),
        ],
    )
    def test_missing_it_is_worse_than_to_pass_and_a_regression_is_worse_than_that(
        self, max_s: float, limit_s: float, expected: Verdict
    ) -> None:
        judged = self.held(self.measured(max_s), limit_s)

        assert judged.verdict is expected
        (objective,) = judged.objectives
        assert objective.reached_s == max_s
        assert objective.is_met is (max_s <= limit_s)

    def test_sessions_that_fail_miss_it(self) -> None:
        judged = self.held(self.measured(0.5, succeeded=STRUCTURE.started - 1), limit_s=9.0)

        (objective,) = judged.missed
        assert not objective.is_met

    def test_it_is_judged_where_another_workload_cannot_be_compared(self) -> None:
        other = self.measured(1.0, ideal_makespan_s=7.0)

        assert self.held(other, limit_s=2.0).verdict is Verdict.COULD_NOT_JUDGE
        assert self.held(other, limit_s=0.5).verdict is Verdict.MISSED

    def test_a_cell_that_came_to_nothing_has_no_latency_to_judge(self) -> None:
        crashed = NotMeasured("crashed: killed by SIGSEGV")

        assert self.held(crashed, limit_s=9.0) == not_measured("cell", crashed.reason)

    def test_each_of_several_is_judged_and_one_that_no_stream_tells_of_is_not_missed(self) -> None:
        after = self.measured(1.0, ttft_s={}, first_output_s={"max": 0.4})
        judged = CellVerdict("cell", Verdict.PASSED)

        found = hold_to(
            parse_objectives("max=1s,ttft_max=1s,first_output_max=400ms"), judged, after
        )
        worse = hold_to(parse_objectives("ttft_max=1s,first_output_max=399ms"), judged, after)

        assert [each.is_met for each in found.objectives] == [True, False, True]
        assert found.verdict is Verdict.COULD_NOT_JUDGE
        assert worse.verdict is Verdict.MISSED
