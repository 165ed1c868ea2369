"""Whether a run is bad: what its scenario scripts is no failure, a crash always is."""

from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.records import CellResult, LatencySummary, SessionCounts, Status
from warpbench.bench.runner.outcome import (
    FailureKind,
    ObjectiveOutcome,
    failures_of,
    objective_outcome,
    scripts_failures,
    within_limits,
)
from warpbench.bench.statistics.objectives import parse_objectives
from warpbench.mocks.scenario import parse_scenario

from ...built import CELL

pytestmark = pytest.mark.once

SCENARIO = """\
name = "short"
description = "Short."
sessions = 1
[model]
latency_s = 1
[[rounds]]
"""
SERVICE = '[[services]]\nname = "weather"\nurl = "https://weather.example.com/*"\nlatency_s = 0\n'


def result(
    *,
    started: int = 100,
    succeeded: int = 100,
    load: int = 10,
    per_s: float | None = 1.0,
    p99: float | None = 1.0,
    status: Status = Status.MEASURED,
) -> CellResult:
    return CellResult(
        cell=replace(CELL, concurrency=load, session_count=100),
        status=status,
        trials=1,
        sessions=SessionCounts(started=started, succeeded=succeeded, failed=started - succeeded),
        throughput_per_s=per_s,
        latency_s=LatencySummary(p99=p99),
    )


def kinds(*results: CellResult, **options: Any) -> list[FailureKind]:
    return [failure.kind for failure in failures_of(results, **options)]


class TestFailures:
    def test_where_every_session_succeeds_there_is_none(self) -> None:
        assert kinds(result()) == []

    def test_one_failed_session_is_one(self) -> None:
        assert kinds(result(succeeded=99)) == [FailureKind.SESSIONS]

    def test_what_the_scenario_scripts_explains_failed_sessions(self) -> None:
        assert kinds(result(succeeded=0), explained={"tools"}) == []
        assert kinds(result(succeeded=0), explained={"another"}) == [FailureKind.SESSIONS]

    def test_nothing_explains_a_trial_that_crashed_or_hung(self) -> None:
        crashed = result(status=Status.FAILED)

        assert kinds(crashed, explained={"tools"}, max_failed=1.0) == [FailureKind.TRIAL]

    def test_nothing_explains_sessions_that_were_never_started(self) -> None:
        lost = result(started=99, succeeded=99)

        assert kinds(lost, explained={"tools"}, max_failed=1.0) == [FailureKind.SESSIONS_LOST]

    def test_nothing_explains_more_sessions_in_flight_than_were_to_be(self) -> None:
        most = result().cell.concurrency

        assert kinds(replace(result(), mean_in_flight=float(most))) == []
        assert kinds(replace(result(), mean_in_flight=most + 0.1), explained={"tools"}) == [
            FailureKind.ABOVE_CONCURRENCY
        ]

    def test_a_cell_that_does_not_apply_is_none(self) -> None:
        assert kinds(result(status=Status.NOT_APPLICABLE)) == []

    def test_as_many_may_fail_as_were_expected_to(self) -> None:
        assert kinds(result(succeeded=95), max_failed=0.05) == []
        assert kinds(result(succeeded=94), max_failed=0.05) == [FailureKind.SESSIONS]


class TestScripted:
    def test_a_scenario_without_faults_explains_nothing(self) -> None:
        assert not scripts_failures(parse_scenario(SCENARIO))
        assert not scripts_failures(parse_scenario(f'{SCENARIO}{SERVICE}body = "fine"'))

    @pytest.mark.parametrize(
        "more",
        [
            '[[faults]]\nkind = "status"\nstatus = 500\nprobability = 0.5\n',
            "[model.limits]\nrequests_per_minute = 60\n",
            f'{SERVICE}body = "fine"\n[[services.faults]]\nkind = "reset"\nprobability = 0.5\n',
            f'{SERVICE}body = "no"\nstatus = 503\n',
        ],
        ids=["faults of the model", "limits", "faults of a service", "a service that refuses"],
    )
    def test_what_it_scripts_explains_failures(self, more: str) -> None:
        assert scripts_failures(parse_scenario(SCENARIO + more))


class TestSweep:
    def test_loads_beyond_the_greatest_throughput_do_not_count(self) -> None:
        cells = [result(load=1, per_s=1), result(load=2, per_s=2), result(load=4, per_s=1.5)]

        assert [each.cell.concurrency for each in within_limits(cells)] == [1, 2]

    def test_so_is_a_load_that_failed(self) -> None:
        cells = [result(load=1, per_s=1), result(load=2, per_s=None, status=Status.FAILED)]

        assert kinds(*within_limits(cells)) == []

    def test_where_nothing_was_achieved_every_load_counts(self) -> None:
        cells = [result(load=load, per_s=None, status=Status.FAILED) for load in (1, 2)]

        assert kinds(*within_limits(cells)) == [FailureKind.TRIAL, FailureKind.TRIAL]

    def test_each_strategy_has_a_limit_of_its_own(self) -> None:
        other = result(load=4, per_s=9)
        other = replace(other, cell=replace(other.cell, strategy="threads"))

        cells = [result(load=2, per_s=2), result(load=4, per_s=1), other]

        assert [each.cell.name for each in within_limits(cells)] == [
            "tools/agent/gather/asyncio@2",
            "tools/agent/threads/asyncio@4",
        ]


class TestObjective:
    TWO_SECONDS = parse_objectives("p99=2s")

    def test_it_is_met_if_one_cell_meets_it(self) -> None:
        cells = [result(p99=1.9), result(p99=9.0)]

        assert objective_outcome(cells, self.TWO_SECONDS) == (ObjectiveOutcome.MET, None)

    def test_it_is_missed_if_none_does_without_failed_sessions(self) -> None:
        cells = [result(p99=2.1), result(p99=1.0, succeeded=99)]

        assert objective_outcome(cells, self.TWO_SECONDS) == (ObjectiveOutcome.MISSED, None)

    def test_too_few_sessions_neither_meet_nor_miss_it(self) -> None:
        outcome = objective_outcome([result(p99=None)], self.TWO_SECONDS)

        assert outcome == (ObjectiveOutcome.TOO_FEW_SAMPLES, self.TWO_SECONDS.each[0])

    def test_without_a_stream_nobody_meets_or_misses_a_time_to_first_token(self) -> None:
        both = parse_objectives("p99=2s,ttft_p50=1s")

        outcome = objective_outcome([result(p99=1.9)], both)

        assert outcome == (ObjectiveOutcome.TOO_FEW_SAMPLES, both.each[1])

    def test_where_nothing_was_measured_it_is_missed(self) -> None:
        cells = [result(status=Status.FAILED)]

        assert objective_outcome(cells, self.TWO_SECONDS) == (ObjectiveOutcome.MISSED, None)
