"""Sessions run alone once for all cells that need it, and are kept while nothing has changed."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.results.played import Played, Solo, SoloSession
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.solo import SoloTrials, workload_of
from warpbench.bench.runner.solo_folder import SoloFolder
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.project_files import digests_of
from warpbench.bench.trial.solo import MOST_SOLO_SESSIONS, solo_specs
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.scenario import NO_LIMITS, load_scenario

from ...built import TRIAL

pytestmark = pytest.mark.once

S = 1_000_000_000


def specs(*strategies: str, **more: object) -> tuple[TrialSpec, ...]:
    known = available_strategies()
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=tuple(known[name] for name in strategies),
        concurrency=(2,),
        session_count=3,
    )
    return cells_of(replace(factors, **more))  # type: ignore[arg-type]


def own_trial(sessions: int) -> TrialResult:
    """A trial of sessions that play no script, which takes two seconds."""
    return replace(
        TRIAL,
        samples=tuple(SessionSample(n, Outcome.SUCCEEDED, 0, 2 * S) for n in range(sessions)),
        makespan_ns=2 * S,
        ideal_latencies_ns=(1,) * sessions,
        reference=Reference.CONVERSATION,
        played=Played(
            model_calls=(1,) * sessions,
            serving_ns=0,
            script_makespan_ns=1,
            script_latencies_ns=(1,) * sessions,
        ),
    )


class Fake:
    """Stands in for processes: keeps what ran, and what ran alone."""

    def __init__(
        self, alone: Solo | Exception | None = None, *, plays_script: bool = False
    ) -> None:
        self.ran_alone: list[tuple[str, int]] = []
        self._alone = alone
        self._plays_script = plays_script

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        return TRIAL if self._plays_script else own_trial(spec.cell.session_count)

    def run_alone(self, spec: TrialSpec) -> Solo:
        count = spec.cell.session_count
        self.ran_alone.append((spec.cell.strategy, count))
        if isinstance(self._alone, Exception):
            raise self._alone
        return self._alone or Solo({number: SoloSession(S, 1) for number in range(count)}, {})


def results(trials: SoloTrials, of: tuple[TrialSpec, ...]) -> list[TrialResult]:
    found = [trials.run(each) for each in of]
    return [each for each in found if isinstance(each, TrialResult)]


def test_a_target_that_plays_the_script_never_runs_alone() -> None:
    fake = Fake(plays_script=True)

    assert results(SoloTrials(fake), specs("gather")) == [TRIAL]
    assert fake.ran_alone == []


def test_nothing_runs_alone_for_a_trial_in_which_no_session_succeeded() -> None:
    class Failing(Fake):
        def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
            trial = own_trial(1)
            return replace(trial, samples=(replace(trial.samples[0], outcome=Outcome.FAILED),))

    fake = Failing()

    (found,) = results(SoloTrials(fake), specs("gather"))

    assert found.reference is Reference.CONVERSATION
    assert fake.ran_alone == []


def test_both_forms_run_alone_once_for_all_cells_with_the_sessions_of_the_largest() -> None:
    cells = (*specs("gather", "threads"), *specs("gather", session_count=7))
    fake = Fake()

    found = results(SoloTrials(fake, specs=cells), cells)

    assert fake.ran_alone == [("gather", 7), ("sync", 7)]
    assert {each.reference for each in found} == {Reference.SOLO}
    assert [each.ideal_makespan_ns for each in found] == [2 * S, 2 * S, 4 * S]


def test_where_loads_are_not_foreseen_as_many_sessions_run_alone_as_may() -> None:
    fake = Fake()
    trials = SoloTrials(fake, specs=specs("gather"))

    results(trials, (*specs("gather"), *specs("gather", session_count=7), *specs("threads")))
    results(SoloTrials(fake), specs("gather"))

    counts = [count for _, count in fake.ran_alone]
    assert counts == [3, 3, *[MOST_SOLO_SESSIONS] * 4]


@pytest.mark.parametrize("changed", [{"seed": 2}, {"targets": ("other:build",)}])
def test_another_workload_runs_alone_by_itself(changed: dict[str, object]) -> None:
    fake = Fake()
    trials = SoloTrials(fake)

    results(trials, (*specs("gather"), *specs("gather", **changed)))

    assert len(fake.ran_alone) == 4


def test_sessions_beyond_the_most_keep_their_conversation() -> None:
    fake = Fake()

    (found,) = results(SoloTrials(fake), specs("gather", session_count=MOST_SOLO_SESSIONS + 5))

    assert fake.ran_alone[0] == ("gather", MOST_SOLO_SESSIONS)
    assert found.reference is Reference.SOLO
    assert found.sessions_without_solo == 5


@pytest.mark.parametrize("error", [TargetError("no"), TrialError("hung")])
def test_what_cannot_run_alone_keeps_its_conversations(error: Exception, tmp_path: Path) -> None:
    fake = Fake(error)

    (found,) = results(SoloTrials(fake, SoloFolder(tmp_path)), specs("gather"))

    assert found.reference is Reference.CONVERSATION
    assert not list(tmp_path.iterdir())


def test_alone_nothing_holds_a_session_up() -> None:
    (cell,) = specs("threads", clock=ClockMode.WARP)
    cell = replace(cell, scenario=load_scenario("busy-model"))

    for alone in solo_specs(cell, 5):
        assert alone.cell.clock is ClockMode.VIRTUAL
        assert (alone.cell.concurrency, alone.cell.session_count) == (1, 5)
        assert alone.scenario.limits == NO_LIMITS
        assert alone.has_any_workers


def test_what_ran_alone_is_kept_for_the_next_run(tmp_path: Path) -> None:
    first, second = Fake(), Fake()

    one = results(SoloTrials(first, SoloFolder(tmp_path)), specs("gather"))
    other = results(SoloTrials(second, SoloFolder(tmp_path)), specs("gather", "threads"))

    assert one[0] == other[0]
    assert second.ran_alone == []


def test_more_sessions_than_are_kept_run_anew(tmp_path: Path) -> None:
    few, more = specs("gather"), specs("gather", session_count=4)
    results(SoloTrials(Fake(), SoloFolder(tmp_path), few), few)
    fake = Fake()

    results(SoloTrials(fake, SoloFolder(tmp_path), more), more)

    assert len(fake.ran_alone) == 2


def kept(folder: Path, file: Path) -> SoloFolder:
    """A folder that holds what depends on a file."""
    digests = digests_of([str(file)])
    found = SoloFolder(folder)
    found.keep("a" * 64, 3, Solo({0: SoloSession(5, 1)}, digests))
    return found


def test_what_is_kept_is_taken_while_its_files_are_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "agent.py"
    file.write_text("one")
    folder = kept(tmp_path, file)
    taken = folder.taken("a" * 64, 3)
    assert taken is not None
    assert taken.sessions == {0: SoloSession(5, 1)}

    file.write_text("two")
    assert folder.taken("a" * 64, 3) is None
    file.write_text("one")
    assert folder.taken("a" * 64, 3) is not None
    file.unlink()
    assert folder.taken("a" * 64, 3) is None


def test_another_environment_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "agent.py"
    file.write_text("one")
    kept(tmp_path, file)

    monkeypatch.setenv("SHLVL", "77")
    assert SoloFolder(tmp_path).taken("a" * 64, 3) is not None
    monkeypatch.setenv("AGENT_MODE", "careful")
    assert SoloFolder(tmp_path).taken("a" * 64, 3) is None


def test_another_workload_or_a_broken_file_gives_nothing(tmp_path: Path) -> None:
    file = tmp_path / "agent.py"
    file.write_text("one")
    folder = kept(tmp_path, file)

    assert folder.taken("a" * 63 + "b", 3) is None
    (written,) = (tmp_path / "solo").iterdir()
    written.write_text("{")
    assert folder.taken("a" * 64, 3) is None


TARGET = """
import asyncio
import json

from helper_of_solo_target import PAUSE_S
from openai import AsyncOpenAI


def build():
    client = AsyncOpenAI()
    with open("settings_of_solo_target.json") as file:
        pauses = json.load(file)

    async def session(task):
        for _ in range(pauses):
            await asyncio.sleep(PAUSE_S)
        reply = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": task}]
        )
        return reply.choices[0].message.content

    return session
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a target of three files, in which a run takes place."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    written(folder / "solo_target.py", TARGET)
    written(folder / "helper_of_solo_target.py", "PAUSE_S = 0.5\n")
    written(folder / "settings_of_solo_target.json", "1")
    return folder


def written(file: Path, text: str) -> None:
    """Write a file as long ago as somebody takes who then starts a run."""
    file.write_text(text)
    before_ns = time.time_ns() - 60 * S
    os.utime(file, ns=(before_ns, before_ns))


def latency_alone(out: Path) -> tuple[int, int]:
    """What the first session takes alone, and how often sessions ran alone for that."""
    (spec,) = specs("gather", targets=("solo_target:build",))
    processes = Counting(60)
    result = SoloTrials(processes, SoloFolder(out)).run(spec)
    assert isinstance(result, TrialResult)
    assert result.reference is Reference.SOLO
    return result.ideal_latencies_ns[0], processes.count


class Counting(TrialProcesses):
    """Processes that count how often sessions ran alone."""

    count = 0

    def run_alone(self, spec: TrialSpec) -> Solo:
        self.count += 1
        return super().run_alone(spec)


def test_an_edited_file_of_the_project_is_seen(project: Path, tmp_path: Path) -> None:
    """Whether the target imported it, or read it."""
    before_ns, ran = latency_alone(tmp_path)
    assert ran == 2  # it has no plain form, but who knows that before?
    assert latency_alone(tmp_path) == (before_ns, 0)

    written(project / "helper_of_solo_target.py", "PAUSE_S = 0.75\n")
    assert latency_alone(tmp_path) == (before_ns + S // 4, 2)

    written(project / "settings_of_solo_target.json", "2")
    assert latency_alone(tmp_path) == (before_ns + S, 2)
    assert latency_alone(tmp_path) == (before_ns + S, 0)


def test_a_target_that_writes_files_is_not_kept(project: Path, tmp_path: Path) -> None:
    writes = TARGET.replace("    async def", '    open("a.log", "a").close()\n\n    async def')
    written(project / "solo_target.py", writes)

    assert latency_alone(tmp_path)[1] == 2
    assert latency_alone(tmp_path)[1] == 2


def test_workloads_differ_in_what_sessions_do_and_not_in_who_drives_them() -> None:
    (gather, threads) = specs("gather", "threads")

    assert workload_of(gather) == workload_of(threads)
    assert workload_of(gather) != workload_of(specs("gather", seed=2)[0])
