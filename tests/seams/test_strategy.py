"""A strategy is added by its file and a line of the registry: here by a value and a patch."""

import asyncio
from dataclasses import replace

import pytest
from warpbench.bench import strategies
from warpbench.bench.cli.main import main
from warpbench.bench.results.records import FindingKind
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.strategies import (
    BUILT_IN,
    Drives,
    Strategy,
    available_strategies,
    default_strategies,
)
from warpbench.bench.strategies.protocol import AsyncSession, Tasks
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import UsageError
from warpbench.reports.charts.palette import strategy_colours
from warpbench.reports.comparison.ranking import scenarios

from .added import SESSIONS, run_of, specs_with, table_of


async def in_order(session: AsyncSession, tasks: Tasks, _concurrency: int) -> None:
    """Await one session after another."""
    for task in tasks:
        await session(task)


IN_ORDER = Strategy(
    "in-order",
    "one awaited session after another",
    Drives.ASYNC,
    in_order,
    one_at_a_time=True,
    is_default=True,
)


async def all_in_flight(session: AsyncSession, tasks: Tasks, _concurrency: int) -> None:
    """Start every session, whatever was asked for."""
    await asyncio.gather(*map(session, tasks))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "BUILT_IN", (*BUILT_IN, IN_ORDER))


def test_it_is_listed_and_measured_by_default_at_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(available_strategies())[-1] == "in-order"
    assert default_strategies()[-1] == "in-order"

    main(["list"])

    assert IN_ORDER.summary in capsys.readouterr().out


def test_it_runs_and_is_shown() -> None:
    run = run_of(specs_with(IN_ORDER))

    (result,) = run.cells
    assert result.cell.name == "two-sleeps/agent/in-order/asyncio@4"
    assert result.makespan_s == SESSIONS * 1.0
    assert "in-order" in table_of(run)


def test_reports_know_that_it_has_one_session_in_flight() -> None:
    run = run_of(specs_with(IN_ORDER))

    (scenario,) = scenarios(run)
    (series,) = scenario.groups[0].series

    assert run.cells[0].cell.one_at_a_time
    assert series.serial
    assert series.at(100) is run.cells[0]


def test_it_has_a_colour_of_its_own() -> None:
    colours = strategy_colours(available_strategies())

    assert len(set(colours.values())) == len(available_strategies())


def test_its_cells_are_no_others_for_what_follows_from_it() -> None:
    (spec,) = specs_with(IN_ORDER, clock=ClockMode.WARP)
    (named_alike,) = specs_with(
        Strategy("in-order", "", Drives.ASYNC, in_order), clock=ClockMode.WARP
    )

    assert spec.cell == named_alike.cell


def test_one_that_keeps_the_name_of_the_file_it_was_copied_from_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = replace(BUILT_IN[0], summary="not renamed")
    monkeypatch.setattr(strategies, "BUILT_IN", (*BUILT_IN, copied))

    with pytest.raises(UsageError, match="'not renamed': there is a strategy 'sync' already"):
        available_strategies()


def test_one_that_has_too_many_sessions_in_flight_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limitless = Strategy("limitless", "all sessions together", Drives.ASYNC, all_in_flight)
    monkeypatch.setattr(strategies, "BUILT_IN", (*BUILT_IN, limitless))
    (spec,) = specs_with(limitless)

    run = run_of([replace(spec, cell=replace(spec.cell, concurrency=SESSIONS - 1))])

    (found,) = findings_of(run.cells)
    assert found.kind is FindingKind.ABOVE_CONCURRENCY
    assert found.values["in_flight"] == SESSIONS
