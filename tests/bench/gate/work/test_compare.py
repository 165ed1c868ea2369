"""The work tier as a function: counts compared, and the functions behind them named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.gate.work.compare import is_kept_memory, own_changes, work_changes
from warpbench.bench.gate.work.measure import MostCalled, Work, package_of, work_of
from warpbench.bench.results.call_counts import CallCounts
from warpbench.bench.results.verdict import CallerChange, Change, ChangeKind

from ....built import TRIAL

pytestmark = pytest.mark.once

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


def changed(after: Work, *, same_versions: bool = True) -> list[tuple[str, float, float]]:
    changes = work_changes(BEFORE, after, Tolerances(), same_versions=same_versions)
    return [(change.name, change.before, change.after) for change in changes]


def test_what_has_not_changed_is_not_mentioned() -> None:
    assert changed(BEFORE) == []


def test_half_a_per_cent_of_calls_is_tolerated_and_one_per_cent_is_not() -> None:
    assert changed(replace(BEFORE, python_calls=10_050)) == []
    assert changed(replace(BEFORE, python_calls=10_100)) == [("python_calls", 10_000, 10_100)]


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
    (change,) = work_changes(BEFORE, after, Tolerances(), same_versions=True)
    assert change.callers == (
        CallerChange("sdk.py:post", 200, is_own_code=False),
        CallerChange("copy.py:deepcopy", 100, is_own_code=False),
        CallerChange("agent.py:ask → copy.py:deepcopy", 2, is_own_code=True),
    )


def test_fewer_calls_are_an_improvement() -> None:
    (change,) = work_changes(
        BEFORE, replace(BEFORE, c_calls=15_000), Tolerances(), same_versions=True
    )
    assert (change.name, change.growth, change.is_worse) == ("c_calls", -0.25, False)


def test_under_other_versions_only_the_network_is_compared() -> None:
    after = replace(BEFORE, python_calls=99_999, tasks=99, http_requests=21)
    assert changed(after, same_versions=False) == [("http_requests", 20, 21)]


def test_memory_that_is_kept_is_a_change() -> None:
    assert changed(replace(BEFORE, blocks_kept=4_400)) == []
    assert changed(replace(BEFORE, blocks_kept=5_000)) == [("blocks_kept", 4_000, 5_000)]


def test_bytes_that_are_kept_are_a_change_if_they_were_measured() -> None:
    def changes(before: int | None, after: int) -> list[Change]:
        old, new = replace(BEFORE, bytes_kept=before), replace(BEFORE, bytes_kept=after)
        return list(work_changes(old, new, Tolerances(), same_versions=True))

    assert changes(None, 1_000_000) == []
    assert changes(1_000_000, 1_100_000) == []
    assert changes(10_000, 40_000) == []  # as much as chance does
    (change,) = changes(10_000, 50_000)
    assert (change.name, is_kept_memory(change)) == ("bytes_kept", True)


@pytest.mark.parametrize(
    ("call", "package"),
    [
        ("agent/wire.py:body → list.copy", "agent"),
        ("my_agent.py:build → len", "my_agent"),
        ("src/my_package/agent.py:ask → len", "my_package"),
    ],
)
def test_a_call_is_of_the_package_of_its_caller(call: str, package: str) -> None:
    assert package_of(call) == package


def test_calls_of_own_code_are_told_by_package() -> None:
    own = MostCalled(calls={"a/x.py:f → len": 20, "b.py:g → len": 30}, others_at_most=0)
    before = replace(BEFORE, own=own, own_calls={"a": 20, "b": 30})
    more = MostCalled(calls={"a/x.py:f → len": 40, "b.py:g → len": 30}, others_at_most=0)
    after = replace(before, own=more, own_calls={"a": 40, "b": 30})

    (change,) = own_changes(before, after)

    assert (change.kind, change.name) == (ChangeKind.OWN_CALLS, "a")
    assert (change.before, change.after, change.is_worse) == (20, 40, True)
    assert change.callers == (CallerChange("a/x.py:f → len", 2, is_own_code=True),)


def test_one_task_more_is_a_change() -> None:
    assert changed(replace(BEFORE, tasks=31)) == [("tasks", 30, 31)]


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 1_000), max_size=60))
def test_nothing_is_lost_by_naming_only_the_most_called(calls: dict[str, int]) -> None:
    counts = CallCounts(python=calls, c={}, own={}, loop_iterations=0, tasks=0)
    trial = replace(TRIAL, calls=counts)
    work = work_of(trial)
    assert work.python_calls == sum(calls.values())
    left_out = set(calls) - set(work.python.calls)
    assert work.python.others_at_most == max((calls[name] for name in left_out), default=0)
    assert min(work.python.calls.values(), default=0) >= work.python.others_at_most
