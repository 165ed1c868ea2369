"""A loop is added by its class on a skipping clock and an entry of the registry."""

from collections.abc import Iterator
from importlib.metadata import version

import pytest
from warpbench.bench.cli.main import main
from warpbench.bench.gate.measuring import unseen_modules
from warpbench.bench.runner.environment import read_environment
from warpbench.bench.strategies import gather
from warpbench.bench.trial.loops import LOOPS, Loop, default_loops, require_loop
from warpbench.mocks.clock import ClockMode, create_clock
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.polling import WaitingEventLoop
from warpbench.mocks.errors import UsageError
from warpbench.reports.charts.palette import loop_lines

from .added import run_of, specs_with, table_of


class Mine(SkippingEventLoop):
    """Somebody's loop, on a clock that skips."""

    made = 0

    def time(self) -> float:
        """Return the clock's time, and know of having been asked."""
        type(self).made += 1
        return super().time()


MINE = Loop(
    name="mine",
    summary="a loop of one's own",
    waiting=WaitingEventLoop,
    skipping=Mine,
    package="hypothesis",
    is_default=True,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(LOOPS, MINE.name, MINE)  # type: ignore[arg-type]
    Mine.made = 0
    return


def test_it_is_listed_and_measured_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert default_loops()[-1] == "mine"

    main(["list"])

    assert MINE.summary in capsys.readouterr().out


def test_it_runs_and_is_shown() -> None:
    run = run_of(specs_with(gather.STRATEGY, loops=("mine", "asyncio")))

    assert Mine.made > 0
    assert [result.cell.loop for result in run.cells] == ["mine", "asyncio"]
    assert [result.makespan_s for result in run.cells] == [1.0, 1.0]
    assert "mine" in table_of(run)
    assert len({line.dashes for line in loop_lines(["mine", "asyncio"]).values()}) == 2


def test_the_version_of_its_package_is_kept_with_a_run_and_with_a_baseline() -> None:
    (spec,) = specs_with(gather.STRATEGY, loops=("mine",))

    assert read_environment().packages["hypothesis"] == version("hypothesis")
    assert unseen_modules(spec.cell) == {"hypothesis"}


@pytest.mark.parametrize("mode", ClockMode)
def test_each_clock_gets_the_face_that_it_needs(mode: ClockMode) -> None:
    loop = MINE.create(create_clock(mode))

    assert isinstance(loop, Mine) is mode.skips
    loop.close()


def test_a_python_that_lacks_it_says_which_one_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    later = Loop(
        name="later", summary="", waiting=WaitingEventLoop, skipping=Mine, needs_python=(9, 1)
    )
    monkeypatch.setitem(LOOPS, "later", later)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match=r"loop 'later': needs Python 9\.1 or later"):
        require_loop("later")
