"""The exit status of a run, and the line that says why it is not 0."""

from dataclasses import replace

import pytest
from warpbench.bench.cli.exit_status import DONE, NOT_DONE
from warpbench.bench.cli.judging import ranking_status
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts
from warpbench.bench.results.refused_hosts import RefusedHost

from ...built import HEADER, cell_result


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
