"""The exit status of a run, and the line that says why it is not 0."""

from dataclasses import replace

import pytest
from warpbench.bench.cli.exit_status import BAD_ANSWER, DONE, NOT_DONE
from warpbench.bench.cli.judging import failure_status, objective_status, ranking_status
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.mocks.scenario import parse_scenario

from ...built import HEADER, cell_result

pytestmark = pytest.mark.once

SCENARIO = """
name = "tools"
description = "Its model may fail."
sessions = 4
[model]
latency_s = 0
[[rounds]]
"""
FAULT = """
[[faults]]
kind = "status"
status = 500
probability = 1e-9
"""


def cell(cost_s: float) -> CellResult:
    """A cell of 100 sessions of 1 s each, whose refused requests cost so much in all."""
    return cell_result(
        sessions=SessionCounts(started=100, succeeded=100),
        latency_s=LatencySummary(mean=1.0),
        refused=(RefusedHost(host="api.x.com", requests=100, sessions=100, cost_s=cost_s),),
    )


def run_of(*cells: CellResult) -> Run:
    return Run(
        created_at=HEADER.created_at,
        command=HEADER.command,
        environment=HEADER.environment,
        cells=cells,
    )


def test_a_cell_whose_refused_requests_cost_much_could_not_be_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ranking_status(run_of(cell(1.0), cell(61.0), cell(50.0))) == NOT_DONE
    assert capsys.readouterr().err == (
        "warpbench: tools/agent/gather/asyncio@10: could not judge, nor 1 other cell, refused "
        "requests to api.x.com cost 61 % of the sessions' time; add the host to the [[services]] "
        "of the scenario\n"
    )


def test_what_costs_next_to_nothing_or_has_no_result_is_no_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = replace(cell(0.0), latency_s=LatencySummary())
    assert ranking_status(run_of(cell(0.0), cell(1.0), without)) == DONE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("faults", "max_failed", "status"),
    [("", 0.0, BAD_ANSWER), ("", 0.2, BAD_ANSWER), ("", 0.25, DONE), (FAULT, 0.0, DONE)],
    ids=["unexplained", "more than expected", "expected", "scripted"],
)
def test_failed_sessions_are_bad_unless_expected_or_scripted(
    faults: str, max_failed: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = cell_result(sessions=SessionCounts(started=4, succeeded=3, failed=1))
    scenario = parse_scenario(SCENARIO + faults)

    assert failure_status(run_of(failed), [scenario], max_failed, is_sweep=False) == status
    assert capsys.readouterr().err == (
        ""
        if status == DONE
        else "warpbench: tools/agent/gather/asyncio@10: sessions failed that no scripted fault "
        "explains\n"
    )


@pytest.mark.parametrize(
    ("slo", "status", "why"),
    [
        ("max=2s", DONE, ""),
        ("max=900ms", BAD_ANSWER, "missed, no cell meets it"),
        ("p99=2s", NOT_DONE, "could not judge, p99 takes"),
        ("max=2s,p50=1h", DONE, ""),
        ("max=2s,p50=900ms", BAD_ANSWER, "missed, no cell meets all of them"),
        ("max=2s,ttft_max=1h", NOT_DONE, "could not judge, TTFT max takes"),
    ],
)
def test_an_objective_is_met_missed_or_could_not_be_judged(
    slo: str, status: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two sessions of a second each, none of which streams."""
    measured = cell_result(
        sessions=SessionCounts(started=2, succeeded=2),
        latency_s=LatencySummary(p50=1.0, max=1.0, mean=1.0),
        throughput_per_s=2.0,
    )

    assert objective_status(replace(run_of(measured), objective=slo)) == status
    error = capsys.readouterr().err
    assert error.startswith(f"warpbench: --slo {slo}: {why}" if why else "")
    assert bool(error) is bool(why)
