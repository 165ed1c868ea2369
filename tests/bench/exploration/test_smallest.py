"""Of a case nothing is left that could be left out, and what is spent on that is limited."""

from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.exploration.smallest import Budget, needed, smallest
from warpbench.bench.results.case import Case
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import WaitName

ITEMS = st.integers(0, 40).flatmap(
    lambda count: st.tuples(
        st.just(tuple(range(count))), st.sets(st.integers(0, count), max_size=4)
    )
)


@given(ITEMS)
def test_what_is_needed_is_what_is_left(given_items: tuple[tuple[int, ...], set[int]]) -> None:
    items, wanted = given_items
    wanted &= set(items)

    kept = needed(items, lambda those: wanted <= set(those))

    assert set(kept) == wanted
    assert list(kept) == sorted(kept)


@given(st.integers(1, 30), st.integers(1, 30))
def test_where_any_few_will_do_no_more_are_kept(count: int, enough: int) -> None:
    kept = needed(tuple(range(count)), lambda those: len(those) >= min(enough, count))

    assert len(kept) == min(enough, count)


def found(shows: Budget, **more: object) -> Case | None:
    parts = {
        "sessions": 10,
        "cancels": (2, 5, 8),
        "choices": CHOICES,
        "waits": lambda case: tuple(WaitName(session, 0) for session in case.sessions or ()),
    }
    return smallest(Case(17), **(parts | more), budget=shows)  # type: ignore[arg-type]


CHOICES = tuple(Choice("loop", number, f"session {number}") for number in range(8))


def test_sessions_cancellations_choices_and_draws_are_left_out() -> None:
    def shows(case: Case) -> bool:
        return ({3, 7} <= set(case.sessions or ()) and 8 not in (case.sessions or ())) or (
            (case.waits is None or WaitName(7, 0) in case.waits)
            and {3, 7} <= set(case.sessions or ())
            and (case.choices is None or CHOICES[4] in case.choices)
        )

    case = found(Budget(shows))

    assert case is not None
    assert case.sessions == (3, 7)
    assert case.cancels == ()


def test_what_has_to_be_there_stays() -> None:
    def shows(case: Case) -> bool:
        return (
            {3, 7} <= set(case.sessions or ())
            and 5 in (case.cancels or ())
            and (case.waits is None or WaitName(7, 0) in case.waits)
            and CHOICES[4] in (case.choices or ())
        )

    assert found(Budget(shows)) == Case(17, (3, 7), (WaitName(7, 0),), (5,), (CHOICES[4],))


def test_what_never_comes_again_has_no_case() -> None:
    assert found(Budget(lambda _: False)) is None


def test_once_all_is_spent_the_case_found_so_far_stands() -> None:
    budget = Budget(lambda case: {3, 7} <= set(case.sessions or ()), trials=9)

    case = found(budget)

    assert budget.is_spent
    assert case is not None
    assert {3, 7} <= set(case.sessions or ())


def test_time_is_limited_too() -> None:
    times = iter(range(1000))
    budget = Budget(lambda _: True, time_s=5, now_s=lambda: next(times))

    assert [budget.shows(Case(1)) for _ in range(7)] == [True] * 4 + [False] * 3
    assert budget.is_spent
