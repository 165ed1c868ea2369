"""A run goes on where it stopped: with the trials of the same cells by the same command."""

from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.results.records import Run
from warpbench.bench.results.run_file import read_run, write_run
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_file import TRIALS
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.measurement import RunHeader
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.resuming import begin_run, resume_run
from warpbench.bench.runner.runner import run_cells
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.errors import RunFileError, TrialError
from warpbench.mocks.scenario import Scenario, load_scenario

from ...built import HEADER, TRIAL, Nobody

pytestmark = pytest.mark.once

COMMAND = "warpbench run tools --trials 3"


class Killed(BaseException):
    """What no code of the runner's may catch: the process is gone."""


class Numbered:
    """Trials that each differ from the one before; after so many the process is gone."""

    def __init__(self, lasts_for: float = 1_000, begins_at: int = 0) -> None:
        self.ran: list[str] = []
        self._lasts_for = lasts_for
        self._begins_at = begins_at

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        if len(self.ran) >= self._lasts_for:
            raise Killed
        self.ran.append(spec.cell.strategy)
        length_ns = 1_000_000_000 + self._begins_at + len(self.ran)
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, length_ns)
        return replace(TRIAL, samples=(sample,), makespan_ns=length_ns)


def header(**changed: object) -> RunHeader:
    return replace(HEADER, command=COMMAND, **changed)  # type: ignore[arg-type]


def run(
    folder: Path,
    trials: Numbered,
    asked: RunHeader | None = None,
    scenario: Scenario | None = None,
    *,
    resumes: bool = False,
) -> Run:
    known, run_file = available_strategies(), folder / "run.json"
    begin = resume_run if resumes else begin_run
    begun, kept = begin(asked or header(), folder)
    specs = cells_of(
        Factors(
            scenarios=(scenario or load_scenario("tools"),),
            strategies=(known["sync"], known["gather"]),
            concurrency=(2,),
        )
    )
    finished, _ = run_cells(
        begun,
        specs,
        sampling=Sampling(trials=3),
        runner=trials,
        observer=Nobody(),
        save=lambda run: write_run(run, run_file),
        kept=kept,
    )
    return finished


@pytest.mark.parametrize("finished", range(1, 6))
def test_a_killed_run_goes_on_with_each_finished_trial(finished: int, tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Numbered())
    with pytest.raises(Killed):
        run(tmp_path / "killed", Numbered(lasts_for=finished))
    assert not (tmp_path / "killed" / "run.json").exists()
    assert len(list((tmp_path / "killed" / TRIALS).glob("*-?.json"))) == finished

    rest = Numbered(begins_at=finished)
    resumed = run(tmp_path / "killed", rest, resumes=True)

    assert len(rest.ran) == 6 - finished
    assert resumed == whole
    assert read_run(tmp_path / "killed" / "run.json") == whole


def test_a_run_that_is_complete_is_made_again_from_its_trials(tmp_path: Path) -> None:
    whole = run(tmp_path, Numbered())
    (tmp_path / "run.json").unlink()
    rest = Numbered()
    assert run(tmp_path, rest, resumes=True) == whole
    assert rest.ran == []


def test_a_run_can_be_killed_and_resumed_again_and_again(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Numbered())
    for finished in range(4):
        with pytest.raises(Killed):
            run(
                tmp_path / "killed",
                Numbered(lasts_for=1, begins_at=finished),
                resumes=finished > 0,
            )
    assert run(tmp_path / "killed", Numbered(begins_at=4), resumes=True) == whole


def test_a_trial_that_came_to_nothing_is_run_again(tmp_path: Path) -> None:
    class Failing(Numbered):
        def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
            if spec.cell.strategy == "gather":
                raise TrialError("crashed")
            return super().run(spec, then)

    run(tmp_path, Failing())
    rest = Numbered()
    run(tmp_path, rest, resumes=True)
    assert rest.ran == ["gather"] * 3


def test_where_the_run_is_kept_is_no_part_of_its_command(tmp_path: Path) -> None:
    run(tmp_path, Numbered(), header())
    for more in (f"--resume {tmp_path}", "--out=elsewhere", "-o x --resume y"):
        asked = replace(header(), command=f"{COMMAND} {more}", created_at="later")
        begun, _ = resume_run(asked, tmp_path)
        assert (begun.created_at, begun.command) == (HEADER.created_at, COMMAND)


def test_another_command_is_refused_and_the_one_to_give_is_named(tmp_path: Path) -> None:
    run(tmp_path, Numbered())
    with pytest.raises(RunFileError) as caught:
        resume_run(replace(header(), command=f"{COMMAND} --seed 2"), tmp_path)
    assert f"go on with `{COMMAND} --resume {tmp_path}`" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": "3.99"}, "Python 3, not 3.99"),
        ({"commit": "abc"}, "commit None, not abc"),
        ({"packages": {"openai": "9"}}, "openai absent, not 9"),
        ({"cores": 64}, "cores: 2, not 64"),
    ],
)
def test_trials_of_another_environment_are_refused(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    run(tmp_path, Numbered())
    environment = replace(HEADER.environment, **change)  # type: ignore[arg-type]
    with pytest.raises(RunFileError, match=said):
        resume_run(header(environment=environment), tmp_path)


def test_trials_of_another_workload_are_not_taken(tmp_path: Path) -> None:
    run(tmp_path, Numbered())
    longer = replace(load_scenario("tools"), rounds=load_scenario("tools").rounds[:1])
    rest = Numbered()
    run(tmp_path, rest, scenario=longer, resumes=True)
    assert len(rest.ran) == 6
