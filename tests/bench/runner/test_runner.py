"""The runner: cells take turns, one failure sinks no other, and what is finished is kept."""

from dataclasses import replace
from itertools import cycle

import pytest
from warpbench.bench.results.records import FindingKind, Run, Status, TrialFigures
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_file import CellKey
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of, usual_sampling
from warpbench.bench.runner.runner import run_cells
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.workload.arrivals import parse_arrivals

from ...built import HEADER, TRIAL, Nobody


class Scripted:
    """Stands in for processes: says per strategy what comes of a trial, and keeps the order."""

    def __init__(self, **outcomes: TrialResult | NotApplicable | BaseException) -> None:
        self.ran: list[str] = []
        self._outcomes = outcomes

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        self.ran.append(spec.cell.strategy)
        outcome = self._outcomes.get(spec.cell.strategy, TRIAL)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def specs(*strategies: str, **more: object) -> tuple[TrialSpec, ...]:
    known = available_strategies()
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=tuple(known[name] for name in strategies),
        concurrency=(2,),
    )
    return cells_of(replace(factors, **more))  # type: ignore[arg-type]


def run(trials: Scripted, *strategies: str, count: int = 2) -> tuple[Run, bool, list[Run]]:
    saved: list[Run] = []
    finished, interrupted = run_cells(
        HEADER,
        specs(*strategies),
        sampling=Sampling(trials=count),
        runner=trials,
        observer=Nobody(),
        save=saved.append,
    )
    return finished, interrupted, saved


def test_trials_of_different_cells_take_turns_there_and_back() -> None:
    trials = Scripted()

    run(trials, "sync", "gather", "workers")

    assert trials.ran == ["sync", "gather", "workers", "workers", "gather", "sync"]


class Foretold(Scripted):
    """Keeps, beside each trial, which one it is told will come next."""

    def __init__(self, **outcomes: TrialResult | NotApplicable | BaseException) -> None:
        super().__init__(**outcomes)
        self.foretold: list[str | None] = []

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        self.foretold.append(None if then is None else then.cell.strategy)
        return super().run(spec, then)


def test_the_next_trial_is_foretold_unless_it_hangs_on_what_this_one_says() -> None:
    trials = Foretold()
    run(trials, "sync", "gather", count=3)
    assert trials.ran == ["sync", "gather", "gather", "sync", "sync", "gather"]
    assert trials.foretold == ["gather", None, "sync", None, "gather", None]


def test_what_has_failed_is_not_foretold() -> None:
    trials = Foretold(gather=TrialError("crashed"))
    run(trials, "sync", "gather", "workers")
    assert trials.ran == ["sync", "gather", "workers", "workers", "sync"]
    assert trials.foretold == ["gather", "workers", None, "sync", None]


class Timed:
    """Trials that take a second each; those of ``threads`` scatter, the others do not."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def now_s(self) -> float:
        return float(len(self.ran))

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        self.ran.append(spec.cell.strategy)
        uneven = spec.cell.strategy == "threads" and len(self.ran) % 2
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1)
        return replace(TRIAL, samples=(sample,), makespan_ns=3000 if uneven else 1000)


@pytest.mark.parametrize("budget_s", [6.0, 20.0])
def test_a_budget_goes_to_the_cells_whose_figure_is_uncertain(budget_s: float) -> None:
    trials, saved = Timed(), []
    finished, _ = run_cells(
        HEADER,
        specs("sync", "threads"),
        sampling=Sampling(trials=2, budget_s=budget_s),
        runner=trials,
        observer=Nobody(),
        save=saved.append,
        now_s=trials.now_s,
    )
    assert trials.ran.count("sync") == 2
    assert trials.ran.count("threads") == budget_s - 2
    assert [cell.trials for cell in finished.cells] == [2, budget_s - 2]
    assert saved[-1] == finished


class Scripts:
    """Trials of one session, which last for times of their strategy's in turn, a second each."""

    def __init__(self, **makespans_ns: tuple[int, ...]) -> None:
        self.ran: list[str] = []
        self._makespans_ns = {name: cycle(times) for name, times in makespans_ns.items()}

    def now_s(self) -> float:
        return float(len(self.ran))

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        self.ran.append(spec.cell.strategy)
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1)
        makespan_ns = next(self._makespans_ns[spec.cell.strategy])
        return replace(TRIAL, samples=(sample,), makespan_ns=makespan_ns)


def test_a_budget_goes_first_to_cells_that_cannot_be_ranked_against_the_best() -> None:
    trials = Scripts(
        sync=(90_000, 60_000, 110_000),  # uncertain, and slower for sure
        gather=(1000, 1001, 1002),
        threads=(1000, 1100, 1050, 1090, 1020),  # nearly certain, and perhaps as good
    )
    run_cells(
        HEADER,
        specs("sync", "gather", "threads", clock=ClockMode.WARP),
        sampling=Sampling(trials=3, budget_s=15.0),
        runner=trials,
        observer=Nobody(),
        save=lambda _: None,
        now_s=trials.now_s,
    )
    assert set(trials.ran[9:13]) == {"gather", "threads"}


def test_in_an_open_loop_a_budget_goes_by_latency_since_throughput_is_what_arrives() -> None:
    class Arriving(Scripted):
        def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
            self.ran.append(spec.cell.strategy)
            scatters = spec.cell.strategy == "threads" and len(self.ran) % 3 == 0
            latency_ns = 3000 if scatters else 1000
            sample = SessionSample(0, Outcome.SUCCEEDED, 0, latency_ns, None, 0)
            return replace(TRIAL, samples=(sample,), makespan_ns=1_000_000)

    trials = Arriving()
    run_cells(
        HEADER,
        specs("gather", "threads", arrivals=(parse_arrivals("constant:20"),)),
        sampling=Sampling(trials=3, budget_s=20.0),
        runner=trials,
        observer=Nobody(),
        save=lambda _: None,
        now_s=lambda: float(len(trials.ran)),
    )
    assert trials.ran.count("gather") == 3
    assert trials.ran.count("threads") > 6


def test_ctrl_c_before_anything_is_measured_overwrites_nothing() -> None:
    finished, interrupted, saved = run(Scripted(sync=KeyboardInterrupt()), "sync", count=1)
    assert interrupted
    assert finished.cells == ()
    assert saved == []


def test_a_failed_trial_fails_its_cell_and_the_others_go_on() -> None:
    trials = Scripted(gather=TrialError("crashed: with secret-of-theirs"))

    finished, _, _ = run(trials, "sync", "gather")

    assert [cell.status for cell in finished.cells] == [Status.MEASURED, Status.FAILED]
    assert finished.cells[1].error == "crashed: with [redacted]"
    assert trials.ran == ["sync", "gather", "sync"]


def test_what_a_target_lacks_is_not_applicable() -> None:
    finished, _, _ = run(Scripted(sync=NotApplicable("no sync session")), "sync", "gather")

    assert finished.cells[0].status is Status.NOT_APPLICABLE
    assert finished.cells[0].error == "no sync session"


def test_the_run_is_saved_once_at_its_end() -> None:
    _, _, saved = run(Scripted(), "sync", "gather", count=1)

    assert [len(one.cells) for one in saved] == [2]


class Keeper:
    """Keeps which trials it was given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int]] = []

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:
        return ()

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        self.kept.append((key.cell.strategy, number))


def test_each_trial_is_kept_as_it_ends() -> None:
    keeper = Keeper()
    run_cells(
        HEADER,
        specs("sync", "gather"),
        sampling=Sampling(trials=2),
        runner=Scripted(),
        observer=Nobody(),
        save=lambda _: None,
        kept=keeper,
    )
    assert keeper.kept == [("sync", 0), ("gather", 0), ("gather", 1), ("sync", 1)]


def test_ctrl_c_keeps_what_is_finished_and_says_so() -> None:
    finished, interrupted, saved = run(
        Scripted(workers=KeyboardInterrupt()), "sync", "gather", "workers", count=1
    )

    assert interrupted
    assert [result.cell.strategy for result in finished.cells] == ["sync", "gather"]
    assert finished.findings[0].kind is FindingKind.INTERRUPTED
    assert saved[-1] == finished


def test_an_unusable_target_ends_the_run() -> None:
    with pytest.raises(TargetError):
        run(Scripted(sync=TargetError("no such module")), "sync", "gather")


def test_the_command_is_shown_without_secrets() -> None:
    finished, _, _ = run(Scripted(), "sync", count=1)

    assert finished.command == "warpbench run --target x:[redacted]"


def test_loops_are_not_repeated_for_a_strategy_without_one() -> None:
    cells = [spec.cell for spec in specs("threads", "gather", loops=("asyncio", "uvloop"))]

    assert [(cell.strategy, cell.loop) for cell in cells] == [
        ("threads", "none"),
        ("gather", "asyncio"),
        ("gather", "uvloop"),
    ]


def test_loads_come_from_the_option_or_else_from_the_scenario() -> None:
    asked = [spec.cell.concurrency for spec in specs("gather", concurrency=(3, 4))]
    declared = [spec.cell.concurrency for spec in specs("gather", concurrency=())]

    assert asked == [3, 4]
    assert tuple(declared) == load_scenario("tools").concurrency


@pytest.mark.parametrize(("asked", "expected"), [(None, 16), (0, 6), (9, 9)])
def test_one_size_of_executor_holds_for_all_the_loads(asked: int | None, expected: int) -> None:
    cells = [spec.cell for spec in specs("gather", concurrency=(1, 4), tool_workers=asked)]

    assert {cell.tool_workers for cell in cells} == {expected}


@pytest.mark.parametrize(
    ("scenario", "sessions"),
    [
        ("tools", {10: 70, 50: 150, 250: 250}),
        ("blocking-blunder", {5: 50, 25: 50, 50: 50}),
        ("coding-agent", {4: 4}),
    ],
)
def test_sessions_are_adapted_to_the_load_in_full_waves(
    scenario: str, sessions: dict[int, int]
) -> None:
    loaded = load_scenario(scenario)
    adapted = specs("gather", scenarios=(loaded,), concurrency=(), adapts_sessions=True)
    assert {spec.cell.concurrency: spec.cell.session_count for spec in adapted} == sessions


def test_sessions_that_are_asked_for_or_arrive_by_a_plan_are_not_adapted() -> None:
    asked = specs("gather", session_count=200, adapts_sessions=True)
    arriving = specs(
        "gather", concurrency=(), arrivals=(parse_arrivals("constant:20"),), adapts_sessions=True
    )
    assert [spec.cell.session_count for spec in (*asked, *arriving)] == [200, 250]


def test_p99_is_known_wherever_all_sessions_of_a_scenario_would_tell_it() -> None:
    for name in ("tools", "chat", "blocking-blunder", "research", "busy-model", "flaky-model"):
        scenario = load_scenario(name)
        adapted = specs("gather", scenarios=(scenario,), concurrency=(), adapts_sessions=True)
        sampling = usual_sampling(adapted)
        for spec in adapted:
            trials = sampling.of_cell(spec.cell).trials
            assert spec.cell.session_count * trials >= 100, spec.cell.name


class Lasting:
    """Trials of one session, which last for these times in turn."""

    def __init__(self, *makespans_ns: int) -> None:
        self.count = 0
        self._makespans_ns = cycle(makespans_ns)

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        self.count += 1
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1)
        return replace(TRIAL, samples=(sample,), makespan_ns=next(self._makespans_ns))


@pytest.mark.parametrize(
    ("trials", "counts"), [(Lasting(1000, 2000), (5, 4, 3)), (Lasting(1000), (2, 2, 2))]
)
def test_cells_of_fewer_sessions_get_more_trials_unless_two_are_certain(
    trials: Lasting, counts: tuple[int, ...]
) -> None:
    adapted = specs("gather", concurrency=(), adapts_sessions=True)
    finished, _ = run_cells(
        HEADER,
        adapted,
        sampling=replace(usual_sampling(adapted), budget_s=None),
        runner=trials,
        observer=Nobody(),
        save=lambda _: None,
    )
    assert [each.cell.concurrency for each in finished.cells] == [10, 50, 250]
    assert tuple(each.trials for each in finished.cells) == counts


@pytest.mark.parametrize(
    ("budget_s", "counts"),
    [
        (0.0, (3, 3, 3)),  # what a cell gets at least, whatever it takes
        (11.0, (4, 4, 3)),  # the first turn of the further ones fits
        (12.0, (5, 4, 3)),
    ],
)
def test_the_usual_trials_end_with_the_budget_but_for_the_first_ones(
    budget_s: float, counts: tuple[int, ...]
) -> None:
    trials = Lasting(1000, 2000)
    adapted = specs("gather", concurrency=(), adapts_sessions=True)
    finished, _ = run_cells(
        HEADER,
        adapted,
        sampling=replace(usual_sampling(adapted), budget_s=budget_s),
        runner=trials,
        observer=Nobody(),
        save=lambda _: None,
        now_s=lambda: float(trials.count),
    )
    assert tuple(each.trials for each in finished.cells) == counts
