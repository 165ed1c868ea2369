"""A transport is added by what opens a world over it and an entry of the registry."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from warpbench.bench.cli.main import main
from warpbench.bench.results.records import Status
from warpbench.bench.strategies import gather, threads
from warpbench.mocks.clock import Clock
from warpbench.mocks.errors import UsageError
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.transports.clients import HttpClient
from warpbench.mocks.transports.in_process.reached import reached_in_process
from warpbench.mocks.transports.registry import (
    RESPX,
    TRANSPORTS,
    Opens,
    Reached,
    Transport,
    require_transport,
)
from warpbench.mocks.world.world import WorldSpec

from .added import run_of, specs_with, table_of

opened: list[str] = []


@contextmanager
def reached_by_pigeon(spec: WorldSpec, clock: Clock, meter: Meter | None) -> Iterator[Reached]:
    """Open a world in this process, and note that it was done."""
    opened.append(spec.stream)
    with reached_in_process(spec, clock, meter) as reached:
        yield reached


def loads() -> Opens:
    return reached_by_pigeon


PIGEON = Transport(
    name="pigeon",
    summary="by air",
    loads=loads,
    in_process=True,
    client=HttpClient(name="a pigeon", sends_sync=False),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRANSPORTS, PIGEON.name, PIGEON)  # type: ignore[arg-type]
    opened.clear()


def test_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"])

    assert PIGEON.summary in capsys.readouterr().out


def test_it_runs_is_named_and_is_shown_beside_the_usual_one() -> None:
    run = run_of(specs_with(gather.STRATEGY, transports=("pigeon", RESPX.name)))

    ours, usual = run.cells
    assert opened == ["two-sleeps/1"]
    assert ours.makespan_s == usual.makespan_s == 1.0
    assert ours.cell.full_name == "two-sleeps/agent/gather/asyncio@4 (virtual, pigeon)"
    assert usual.cell.full_name == "two-sleeps/agent/gather/asyncio@4 (virtual)"
    assert "pigeon" in table_of(run)


def test_it_says_what_it_cannot_carry() -> None:
    (result,) = run_of(specs_with(threads.STRATEGY, transports=("pigeon",))).cells

    assert result.status is Status.NOT_APPLICABLE
    assert result.error == "a pigeon has no sync client"


def test_what_it_needs_is_asked_for_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    needy = Transport(
        name="needy",
        summary="",
        loads=loads,
        client=HttpClient(name="a loft", module="a_module_that_is_not_here"),
    )
    monkeypatch.setitem(TRANSPORTS, "needy", needy)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match="transport 'needy' needs a loft: pip install warpbench"):
        require_transport("needy")
