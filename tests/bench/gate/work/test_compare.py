"""The work tier as a function: counts compared, functions blamed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.gate.work.compare import work_changes
from warpbench.bench.gate.work.measure import MostCalled, Work, work_of
from warpbench.bench.results.call_counts import CallCounts

from ....built import TRIAL

NONE = MostCalled(calls={}, others_at_most=0)
BEFORE = Work(
    sessions=10,
    model_calls=20,
    python_calls=10_000,
    c_calls=20_000,
    loop_iterations=400,
    tasks=30,
    http_requests=20,
    blocks_kept=4_000,
    python=MostCalled(calls={"sdk.py:post": 4_000, "sdk.py:parse": 3_000}, others_at_most=500),
    c=MostCalled(calls={"len": 9_000}, others_at_most=100),
    own=MostCalled(calls={"agent.py:ask → sdk.py:post": 20}, others_at_most=0),
)


def texts(after: Work, *, same_versions: bool = True) -> list[str]:
    changes = work_changes(BEFORE, after, Tolerances(), same_versions=same_versions)
    return [change.text for change in changes]


def test_what_has_not_changed_is_not_mentioned() -> None:
    assert texts(BEFORE) == []


def test_half_a_per_cent_of_calls_is_tolerated_and_one_per_cent_is_not() -> None:
    assert texts(replace(BEFORE, python_calls=10_050)) == []
    assert texts(replace(BEFORE, python_calls=10_100)) == [
        "+10 Python calls per session (1,000 → 1,010, +1.0%)"
    ]


def test_the_functions_with_the_greatest_changes_are_blamed_and_the_users_own_calls() -> None:
    after = replace(
        BEFORE,
        python_calls=13_000,
        python=MostCalled(
            calls={"sdk.py:post": 6_000, "sdk.py:parse": 3_000, "copy.py:deepcopy": 1_500},
            others_at_most=500,
        ),
        own=MostCalled(
            calls={"agent.py:ask → sdk.py:post": 20, "agent.py:ask → copy.py:deepcopy": 20},
            others_at_most=0,
        ),
    )
    # What was not among the most called may have been called as often as the least of them.
    assert texts(after) == [
        "+300 Python calls per session (1,000 → 1,300, +30.0%): most in `sdk.py:post` (+200), "
        "`copy.py:deepcopy` (+100); of your own code `agent.py:ask → copy.py:deepcopy` (+2)"
    ]


def test_fewer_calls_are_an_improvement() -> None:
    (change,) = work_changes(
        BEFORE, replace(BEFORE, c_calls=15_000), Tolerances(), same_versions=True
    )
    assert change.text == "-500 C calls per session (2,000 → 1,500, -25.0%)"
    assert not change.is_worse


def test_under_other_versions_only_the_network_is_compared() -> None:
    after = replace(BEFORE, python_calls=99_999, tasks=99, http_requests=21)
    assert texts(after, same_versions=False) == [
        "+0.10 HTTP requests per session (2 → 2.10, +5.0%)"
    ]


def test_memory_that_is_kept_is_a_change() -> None:
    assert texts(replace(BEFORE, blocks_kept=4_400)) == []
    assert texts(replace(BEFORE, blocks_kept=5_000)) == [
        "+100 kept memory blocks per session (400 → 500, +25.0%)"
    ]


def test_one_task_more_is_a_change() -> None:
    assert texts(replace(BEFORE, tasks=31)) == ["+0.10 tasks per session (3 → 3.10, +3.3%)"]


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 1_000), max_size=60))
def test_nothing_is_lost_by_naming_only_the_most_called(calls: dict[str, int]) -> None:
    counts = CallCounts(python=calls, c={}, own={}, loop_iterations=0, tasks=0)
    trial = replace(TRIAL, calls=counts)
    work = work_of(trial)
    assert work.python_calls == sum(calls.values())
    left_out = set(calls) - set(work.python.calls)
    assert work.python.others_at_most == max((calls[name] for name in left_out), default=0)
    assert min(work.python.calls.values(), default=0) >= work.python.others_at_most
