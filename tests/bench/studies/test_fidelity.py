"""Validation: pairs in alternating order, medians over them, and only what was asked for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import available_strategies
from warpbench.bench.studies.fidelity import chosen_specs, measure_fidelity
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import UsageError
from warpbench.mocks.scenario import load_scenario

from ...built import TRIAL

MS = 1_000_000


def specs() -> tuple[TrialSpec, ...]:
    known = available_strategies()
    return cells_of(
        Factors(
            scenarios=(load_scenario("chat"),),
            strategies=(known["gather"], known["threads"]),
            loops=("asyncio", "uvloop"),
            concurrency=(10,),
        )
    )


class Clocks:
    """Trials that take what is listed for their clock, one after the other."""

    def __init__(self, wall_ms: list[int], warp_ms: list[int]) -> None:
        self.order: list[ClockMode] = []
        self._lengths: dict[ClockMode, Iterator[int]] = {
            ClockMode.WALL: iter(wall_ms),
            ClockMode.WARP: iter(warp_ms),
        }

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        self.order.append(spec.cell.clock)
        length_ns = next(self._lengths[spec.cell.clock]) * MS
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, length_ns)
        on_wall = spec.cell.clock is ClockMode.WALL
        return replace(
            TRIAL, samples=(sample,), makespan_ns=length_ns, elapsed_s=1.0 if on_wall else 0.01
        )


def test_pairs_alternate_and_figures_are_medians() -> None:
    trials = Clocks([100, 300, 200], [101, 999, 202])
    found = measure_fidelity(specs()[0], 3, trials)
    wall, warp = ClockMode.WALL, ClockMode.WARP
    assert trials.order == [wall, warp, warp, wall, wall, warp]
    assert found is not None
    assert (found.wall.makespan_s, found.warp.makespan_s) == (0.2, 0.202)
    assert found.deviation("makespan_s") == pytest.approx(0.01)
    assert found.deviation("p99_s") is None  # one session carries no p99
    assert found.speed_up == pytest.approx(100)


def test_a_cell_that_does_not_apply_is_left_out() -> None:
    class Refusing:
        def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> NotApplicable:
            return NotApplicable("no such session")

    assert measure_fidelity(specs()[0], 3, Refusing()) is None


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (["all"], 3),
        (["gather"], 2),
        (["chat/agent/gather/uvloop@10"], 1),
        (["gather", "chat/agent/gather/uvloop@10", "threads"], 3),
    ],
)
def test_cells_are_chosen_by_strategy_or_name_each_once(names: list[str], count: int) -> None:
    assert len(chosen_specs(specs(), names)) == count


def test_a_name_that_stands_for_no_cell_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--validate 'sync': expected all, a strategy.*gather"):
        chosen_specs(specs(), ["sync"])


@pytest.mark.once
def test_the_command_puts_it_into_run_and_report(
    warpbench: Callable[..., Any], tmp_path: Any
) -> None:
    # What is validated really waits.
    (tmp_path / "quick.toml").write_text(
        'name = "quick"\ndescription = "It waits little."\nsessions = 4\n'
        "[model]\nlatency_s = 0.05\n[[rounds]]\n"
    )
    done = warpbench(
        *("run", "quick.toml", "--strategy", "gather", "--loop", "asyncio", "--concurrency", "4"),
        *("--trials", "1", "--validate", "all", "--out", str(tmp_path)),
    )
    assert done.status == 0, done.err
    shown = " ".join(done.out.split())
    assert "Accuracy of the warp clock against wall time, in 1 cell: makespan within" in shown
    page = (tmp_path / "report.html").read_text()
    assert "Accuracy of the warp clock</h2>" in page
    assert '"fidelity": [' in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--validate", "gathr"], "--validate 'gathr': expected all"),
        (["--validate", "all", "--clock", "virtual"], "cannot go with virtual"),
        (["--validate", "all", "--concurrency", "auto"], "cannot go with auto"),
    ],
)
def test_what_cannot_be_validated_is_refused_before_anything_runs(
    warpbench: Callable[..., Any], more: list[str], message: str
) -> None:
    done = warpbench("run", "chat", *more)
    assert done.status == 2
    assert message in done.err
