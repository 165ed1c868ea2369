"""Which trial runs on which worker, and which result of it counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.cluster.schedule import MOST_ATTEMPTS, PlannedTrial, Schedule, units_of
from warpbench.bench.results.trial_file import NoTrialsKept
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.cell_state import CellState
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.spec import NotApplicable
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TrialError
from warpbench.mocks.scenario import load_scenario

from .fake_cluster import KIND, OTHER_KIND, measured

BOTH = frozenset({KIND, OTHER_KIND})


def states(
    *strategies: str,
    loads: Sequence[int] = (2,),
    clock: ClockMode = ClockMode.WARP,
    shards: int = 1,
    sessions: int = 4,
) -> list[CellState]:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=tuple(map(strategy_named, strategies)),
        concurrency=tuple(loads),
        session_count=sessions,
        clock=clock,
        processes=(shards,),
    )
    return [CellState(spec, Sampling(trials=2), (), NoTrialsKept()) for spec in cells_of(factors)]


def always(_trial: PlannedTrial) -> bool:
    return True


def names(schedule: Schedule, worker: int) -> list[str]:
    """What one worker runs of a schedule, by strategy and load, until it has nothing to do."""
    ran = []
    while (task := schedule.next_task(worker, KIND, {KIND})) is not None:
        ran.append(f"{task.spec.cell.strategy}@{task.spec.cell.concurrency}")
        schedule.ended(worker, measured(task.spec))
    return ran


def test_a_turn_of_a_contest_is_run_by_one_worker_in_the_order_of_the_turn() -> None:
    cells = states("gather", "threads", "taskgroup")

    assert [len(unit.tasks) for unit in units_of(cells, 0)] == [3]
    assert names(Schedule(units_of(cells, 0), always), 0) == [
        "gather@2",
        "threads@2",
        "taskgroup@2",
    ]
    assert names(Schedule(units_of(cells, 1), always), 0) == [
        "taskgroup@2",
        "threads@2",
        "gather@2",
    ]


def test_the_largest_contest_of_a_turn_is_begun_first() -> None:
    cells = states("gather", "threads", loads=(1, 2))
    wall = states("gather", "threads", loads=(1, 2), clock=ClockMode.WALL)
    larger = [
        state
        if state.spec.cell.concurrency == 1
        else CellState(
            replace(state.spec, cell=replace(state.spec.cell, session_count=9)),
            Sampling(trials=1),
            (),
            NoTrialsKept(),
        )
        for state in cells
    ]

    assert names(Schedule(units_of(larger, 0), always), 0)[0] == "gather@2"
    # In real time one session after another takes twice as long as two at one time.
    assert names(Schedule(units_of(wall, 0), always), 0)[0] == "gather@1"


def test_where_computing_takes_no_time_each_trial_is_a_unit() -> None:
    cells = states("gather", "threads", clock=ClockMode.VIRTUAL)

    assert [len(unit.tasks) for unit in units_of(cells, 0)] == [1, 1]


def test_shards_go_to_any_worker_and_make_one_trial() -> None:
    (state,) = states("gather", clock=ClockMode.VIRTUAL, shards=3, loads=(3,), sessions=7)
    schedule = Schedule(units_of([state], 0), always)

    ended = []
    tasks = [schedule.next_task(worker, KIND, {KIND}) for worker in range(3)]
    assert schedule.next_task(3, KIND, {KIND}) is None
    for worker, task in reversed(list(enumerate(tasks))):
        assert task is not None
        ended.append(schedule.ended(worker, measured(task.spec)))

    assert ended[:2] == [None, None]
    assert ended[2] is not None
    assert isinstance(ended[2].outcome, TrialResult)
    assert sorted(each.session for each in ended[2].outcome.samples) == list(range(7))
    assert schedule.is_over()


def test_one_shard_that_fails_is_the_trial_and_the_others_are_not_begun() -> None:
    (state,) = states("gather", clock=ClockMode.VIRTUAL, shards=3, loads=(3,))
    schedule = Schedule(units_of([state], 0), always)
    first, second = (schedule.next_task(worker, KIND, {KIND}) for worker in range(2))
    assert first is not None
    assert second is not None

    trial = schedule.ended(0, TrialError("crashed"))

    assert trial is not None
    assert str(trial.outcome) == "crashed"
    assert schedule.next_task(0, KIND, {KIND}) is None
    assert schedule.ended(1, measured(second.spec)) is None
    assert str(trial.outcome) == "crashed"
    assert schedule.is_over()


def test_a_lost_trial_is_run_again_and_the_rest_of_its_turn_after_it() -> None:
    cells = states("gather", "threads")
    schedule = Schedule(units_of(cells, 0), always)
    schedule.next_task(0, KIND, {KIND})

    assert schedule.lost(0, "killed") is None
    assert not schedule.is_over()
    assert names(schedule, 1) == ["gather@2", "threads@2"]
    assert schedule.is_over()


def test_a_trial_that_is_lost_three_times_has_failed_with_the_reason() -> None:
    cells = states("gather", "threads")
    schedule = Schedule(units_of(cells, 0), always)
    failed = []
    for worker in range(MOST_ATTEMPTS):
        task = schedule.next_task(worker, KIND, {KIND})
        assert task is not None
        assert task.attempt == worker
        failed.append(schedule.lost(worker, f"node-{worker}: killed"))

    assert failed[:2] == [None, None]
    assert failed[2] is not None
    assert str(failed[2].outcome) == "its worker was lost 3 times: node-2: killed"
    assert names(schedule, 9) == ["threads@2"]


def test_a_contest_stays_on_nodes_of_one_kind_while_there_is_one() -> None:
    cells = states("gather", "threads")
    schedule = Schedule([*units_of(cells, 0), *units_of(cells, 1)], always)
    schedule.next_task(0, KIND, BOTH)

    assert schedule.next_task(1, OTHER_KIND, BOTH) is None
    assert schedule.next_task(2, KIND, BOTH) is not None
    schedule.lost(0, "killed")
    schedule.lost(2, "killed")
    assert schedule.next_task(1, OTHER_KIND, {OTHER_KIND}) is not None


def test_what_comes_next_is_foretold_unless_it_is_of_the_same_cell() -> None:
    cells = states("gather", "threads")
    schedule = Schedule(units_of(cells, 0), always)

    schedule.next_task(0, KIND, {KIND})
    assert schedule.upcoming(0) == cells[1].spec
    schedule.ended(0, NotApplicable("no plain session"))
    schedule.next_task(0, KIND, {KIND})
    assert schedule.upcoming(0) is None


def test_without_workers_all_that_is_left_fails_once() -> None:
    cells = states("gather", "threads", loads=(1, 2))
    schedule = Schedule(units_of(cells, 0), always)
    schedule.next_task(0, KIND, {KIND})

    given_up = schedule.give_up("no node is left")

    assert Counter(str(trial.outcome) for trial in given_up) == {"no node is left": 4}
    assert schedule.is_over()


@given(st.data())
def test_whoever_is_lost_each_trial_ends_exactly_once(data: st.DataObject) -> None:
    cells = states("gather", "threads", loads=(1, 2), shards=1)
    cells += states("taskgroup", loads=(3,), shards=3, clock=ClockMode.VIRTUAL)
    units = [unit for turn in (0, 1) for unit in units_of(cells, turn)]
    schedule = Schedule(units, always)
    idle, busy, began = [0, 1, 2], [], 3
    ended: list[PlannedTrial] = []
    lost: Counter[tuple[int, int]] = Counter()
    tasks = {}
    while not schedule.is_over():
        for worker in tuple(idle):
            task = schedule.next_task(worker, KIND, {KIND})
            if task is not None:
                idle.remove(worker)
                busy.append(worker)
                tasks[worker] = task
        worker = data.draw(st.sampled_from(busy))
        busy.remove(worker)
        task = tasks.pop(worker)
        if data.draw(st.booleans()):
            lost[id(task.trial), task.part] += 1
            trial = schedule.lost(worker, "killed")
            idle.append(began)
            began += 1
        else:
            trial = schedule.ended(worker, measured(task.spec))
            idle.append(worker)
        if trial is not None:
            ended.append(trial)

    assert len({id(trial) for trial in ended}) == len(ended) == 2 * len(cells)
    for trial in ended:
        was_given_up = any(
            lost[id(trial), part] == MOST_ATTEMPTS for part in range(len(trial.parts))
        )
        assert isinstance(trial.outcome, TrialError if was_given_up else TrialResult)
        if isinstance(trial.outcome, TrialResult):
            assert sorted(each.session for each in trial.outcome.samples) == [0, 1, 2, 3]
