"""Each mistake of the corpus is found, in its smallest case; repaired, and shared, nothing is."""

from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from warpbench.bench.exploration.checking import likeness
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.results.cancellation import AT_ITS_END, Cancellation
from warpbench.bench.results.case import Case, case_text, parse_case
from warpbench.bench.results.exploration import Cancelled, Exploration, FailureKind, Found
from warpbench.bench.results.steps import StepKind
from warpbench.bench.testing.explore import TrialsHere, explore
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import parse_scenario

from ..instruments.leaving import HEALTHY, LEAVINGS
from ..isolation.sharing import SHARERS
from .corpus import MISTAKES, Mistake

pytestmark = pytest.mark.once

SESSIONS = 5
SCHEDULES = 200
HEALTHY_SCHEDULES = 2
IS_REPEATED = 2
"""Trials that show whether a failure comes again; the smallest case is looked for elsewhere."""

SCENARIO = parse_scenario("""
    name = "explored"
    description = "A tool whose arguments are the same for all."
    sessions = 5
    [model]
    latency_s = 0.5
    [tools.weather]
    description = "Reports the weather."
    kind = "async"
    latency_s = 0.1
    parameters = { city = "string" }
    [[rounds]]
    tools = [{ tool = "weather", arguments = { city = "Vienna" } }]
    [[rounds]]
""")
FEW = (
    "shared history",
    "lost update on uvloop",
    "two sections",
    "dying consumer",
    "opposite locks in threads",
    "locks in an executor",
    "thread-local",
    "one more question",
    "order",
    "current session",
    "store of two",
    "queue of another loop",
    "unfinished clean-up",
)
"""One of each kind, strategy and loop; all of them are explored in the slow suite."""
OTHERS = (
    "shared history",
    "lost update on uvloop",
    "opposite locks in threads",
    "locks in an executor",
    "queue of another loop",
    "unfinished clean-up",
)
"""Of those, some of each loop: all that are repaired are explored in the slow suite."""
A_MISTAKE = pytest.mark.parametrize("mistake", [MISTAKES[name] for name in FEW], ids=FEW)


def explored(
    build: Callable[..., Any],
    schedules: int,
    strategy: str = "gather",
    loop: str = "asyncio",
    **more: Any,
) -> Exploration:
    return explore(
        build,
        scenario=SCENARIO,
        schedules=schedules,
        strategy=strategy,
        loop="asyncio" if loop == "none" else loop,
        sessions=SESSIONS,
        **more,
    )


def spec_of_cell(mistake: Mistake, seed: int) -> TrialSpec:
    return spec_of(
        mistake.buggy,
        scenario=SCENARIO,
        strategy=mistake.strategy,
        loop="asyncio" if mistake.loop == "none" else mistake.loop,
        sessions=SESSIONS,
        clock="virtual",
        seed=seed,
    )


# Loops of other threads that hang are ended, and what ran on them cannot clean up.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@A_MISTAKE
def test_a_mistake_is_found(mistake: Mistake) -> None:
    found = explored(
        mistake.buggy,
        SCHEDULES,
        mistake.strategy,
        mistake.loop,
        stops_at_first=True,
        most_trials=IS_REPEATED,
    ).found

    assert mistake.kind in {each.failure.kind for each in found}
    assert all(1 <= each.sessions <= SESSIONS for each in found)


@cache
def first_found(name: str, seed: int) -> Found:
    """Return the first failure of a mistake, in its smallest case."""
    mistake = MISTAKES[name]
    (found,) = explored(mistake.buggy, 5, loop=mistake.loop, seed=seed, stops_at_first=True).found
    return found


@pytest.mark.parametrize(("name", "seed"), [("tenant", 1), ("lost permit", 2)])
def test_its_smallest_case_shows_the_same_again(name: str, seed: int) -> None:
    mistake, found = MISTAKES[name], first_found(name, seed)
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, seed), at_once=1)

    replayed = explorer.replay(parse_case(case_text(found.case)))

    assert likeness(found.failure) in map(likeness, replayed.failures)
    assert replayed.unfit == ()
    cancelled = [each.session for each in found.differences if isinstance(each, Cancelled)]
    assert bool(cancelled) == (mistake.kind is FailureKind.DEADLOCK)
    assert {*cancelled} <= {*(found.case.sessions or ())}


def test_a_cancellation_is_told_by_the_wait_in_which_it_takes_place() -> None:
    (cancelled,) = first_found("lost permit", 2).differences

    assert isinstance(cancelled, Cancelled)
    assert cancelled.wait is not None
    assert (cancelled.wait.what, cancelled.wait.ordinal) == ("answer", 1)
    assert cancelled.step is not None
    assert (cancelled.step.kind, cancelled.step.model_call) == (StepKind.MODEL_CALL, 1)
    assert cancelled.step.session == cancelled.session
    assert cancelled.step.begin_s <= cancelled.after_s <= cancelled.step.end_s


def test_who_makes_no_such_wait_any_more_no_longer_fits() -> None:
    mistake = MISTAKES["lost permit"]
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 2), at_once=1)
    made, gone = Cancellation(1, "answer", 1), Cancellation(2, "answer", 9, AT_ITS_END)

    replayed = explorer.replay(Case(3, sessions=(0, 1), cancels=(made, gone)))

    assert replayed.unfit == ()  # session 2 does not run
    assert explorer.replay(Case(3, cancels=(gone,))).unfit == (gone,)


def test_what_versions_before_cancelled_is_cancelled_again() -> None:
    mistake = MISTAKES["lost permit"]
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 8), at_once=1)

    replayed = explorer.replay(parse_case("3/sessions=0+1+3/waits=/cancels=1"))

    assert [each.kind for each in replayed.failures] == [FailureKind.DEADLOCK]
    assert replayed.unfit == ()


def test_a_case_that_no_longer_fits_says_at_which_choice() -> None:
    mistake = MISTAKES["tenant"]
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 1), at_once=1)
    gone = Choice("session 0 answer 9", 4, "session 1 answer 7")

    assert explorer.replay(Case(1, choices=(gone,))).unfit == (gone,)


def test_the_steps_of_a_failure_have_their_places() -> None:
    (found,) = explored(MISTAKES["tenant"].buggy, 1, loop="uvloop").found

    assert [(step.session, step.kind) for step in found.steps] == [
        (0, StepKind.OWN_WAIT),
        (1, StepKind.OWN_WAIT),
        (0, StepKind.MODEL_CALL),
        (1, StepKind.MODEL_CALL),
    ]
    assert all("corpus.py" in step.place or "leaking.py" in step.place for step in found.steps)


@pytest.mark.parametrize("name", ["lost update", "order"])
def test_a_failure_without_a_place_has_that_of_the_last_step_before(name: str) -> None:
    mistake = MISTAKES[name]

    (found,) = explored(
        mistake.buggy, 1, mistake.strategy, mistake.loop, most_trials=IS_REPEATED
    ).found

    assert not found.failure.place
    assert "leaking.py:asked:" in found.failure.last_place


def test_a_target_that_does_not_work_is_no_healthy_one() -> None:
    def build(_lab: Any) -> Any:
        async def session(task: str) -> str:
            raise KeyError("text")

        return session

    (found,) = explored(build, 2).found

    assert found.failure.kind is FailureKind.FAILED
    assert found.failure.error.startswith("KeyError: 'text'")
    assert (found.sessions, found.seen_in) == (1, 2)


def test_nor_is_one_whose_check_fails_whatever_the_others_do() -> None:
    repaired = MISTAKES["tenant"].repaired

    def build(lab: Any) -> Any:
        return SimpleNamespace(
            session=repaired(lab), check=lambda task, _: "session 3]" not in task
        )

    (found,) = explored(build, 1, most_trials=IS_REPEATED).found

    assert (found.failure.kind, found.failure.session) == (FailureKind.FAILED, 3)


@pytest.mark.parametrize("name", ["permit", "exception"])
def test_what_grows_with_the_sessions_is_a_failure(name: str) -> None:
    leaving = LEAVINGS[name]

    (found,) = explored(leaving.buggy, 1, most_trials=IS_REPEATED).found

    assert found.failure.kind is FailureKind.LEFT_BEHIND
    assert found.failure.left is not None
    assert (found.failure.left.kind, found.failure.left.what) == (leaving.kind, leaving.what)


def test_what_is_put_right_grows_no_more() -> None:
    assert explored(LEAVINGS["permit"].repaired, 1).found == ()


def test_one_session_is_enough_to_show_what_grows_with_them() -> None:
    (found,) = explored(LEAVINGS["task"].buggy, 1).found

    assert found.sessions == 1


def test_the_few_are_of_every_kind_strategy_and_loop() -> None:
    def parts_of(names: Iterable[str], part: str) -> set[object]:
        return {getattr(MISTAKES[name], part) for name in names}

    for part in ("kind", "strategy", "loop"):
        assert parts_of(FEW, part) == parts_of(MISTAKES, part)
    assert parts_of(OTHERS, "loop") == parts_of(MISTAKES, "loop")


def test_what_is_there_once_for_all_is_none() -> None:
    for build in HEALTHY.values():
        assert explored(build, 1).found == ()


def test_what_never_comes_again_is_told_apart() -> None:
    trials = []

    def session_of(lab: Any) -> Any:
        trials.append(lab)
        return (
            MISTAKES["tenant"].buggy(lab) if len(trials) == 2 else MISTAKES["tenant"].repaired(lab)
        )

    exploration = explored(session_of, 1)

    assert exploration.found == ()
    assert [failure.kind for _, failure in exploration.not_repeated] == [FailureKind.LEAK]


def test_an_exploration_goes_on_where_an_earlier_one_ended() -> None:
    mistake = MISTAKES["lost permit"]
    trials = TrialsHere(mistake.buggy)
    explorer = Explorer(trials, spec_of_cell(mistake, 8), at_once=1, most_trials=IS_REPEATED)

    before = explorer.explore(3)
    after = explorer.explore(4, begins_at=3)

    assert (before.schedules, before.of, before.found) == (3, 3, ())
    assert (after.begins_at, after.schedules, after.of) == (3, 1, 1)
    assert [found.case.schedule for found in after.found] == [3]


def test_it_begins_no_further_schedule_once_its_time_is_over() -> None:
    mistake = MISTAKES["tenant"]
    explorer = Explorer(TrialsHere(mistake.repaired), spec_of_cell(mistake, 1), at_once=1)

    exploration = explorer.explore(50, budget_s=0)

    assert (exploration.schedules, exploration.of) == (1, 50)
    assert not exploration.is_interrupted


def test_when_interrupted_it_tells_what_was_seen() -> None:
    mistake = MISTAKES["tenant"]
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 1), at_once=1)

    def interrupt(done: int, _failures: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    exploration = explorer.explore(50, interrupt)

    assert (exploration.schedules, exploration.of, exploration.is_interrupted) == (2, 50, True)
    (found,) = exploration.found
    assert (found.case, found.seen_in, found.is_smallest) == (Case(0), 2, False)


@pytest.mark.parametrize("mistake", [MISTAKES[name] for name in OTHERS], ids=OTHERS)
def test_of_the_repaired_agent_nothing_is_said(mistake: Mistake) -> None:
    exploration = explored(mistake.repaired, HEALTHY_SCHEDULES, mistake.strategy, mistake.loop)

    assert exploration.found == ()
    assert exploration.schedules == HEALTHY_SCHEDULES


@pytest.mark.parametrize("build", SHARERS.values(), ids=SHARERS)
def test_nor_of_who_shares_on_purpose(build: Callable[..., Any]) -> None:
    assert explored(build, HEALTHY_SCHEDULES).found == ()
