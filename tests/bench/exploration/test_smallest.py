"""Of a case nothing is left that could be left out, and what is spent on that is limited."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.exploration.smallest import Budget, farther, needed, smallest
from warpbench.bench.results.case import Case, KeptLatency
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import WaitName

pytestmark = pytest.mark.once

MS = 1_000_000
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


def lengths(case: Case) -> Mapping[WaitName, tuple[str, int, int]]:
    """Return half a second for each session, and what it is by its schedule or by the case."""
    drawn = {WaitName(session, 0): by_ms(session) for session in case.sessions or ()}
    if case.waits is not None:
        drawn = {kept.wait: kept.by_ms or drawn[kept.wait] for kept in case.waits}
    return {
        wait: ("", 500 * MS + round(differs_ms * MS), 500 * MS)
        for wait, differs_ms in drawn.items()
    }


def by_ms(session: int) -> float:
    return (40.5 + session) * (-1) ** session


def found(shows: Budget, **more: object) -> Case | None:
    parts = {
        "sessions": 10,
        "cancels": (2, 5, 8),
        "choices": CHOICES,
        "lengths": lengths,
    }
    return smallest(Case(17), **(parts | more), budget=shows)  # type: ignore[arg-type]


CHOICES = tuple(Choice("loop", number, f"session {number}") for number in range(8))


def test_sessions_cancellations_choices_and_draws_are_left_out() -> None:
    def shows(case: Case) -> bool:
        return ({3, 7} <= set(case.sessions or ()) and 8 not in (case.sessions or ())) or (
            (case.waits is None or KeptLatency(WaitName(7, 0)) in case.waits)
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
            and (case.waits is None or WaitName(7, 0) in lengths(case))
            and CHOICES[4] in (case.choices or ())
        )

    assert found(Budget(shows)) == Case(
        17, (3, 7), (KeptLatency(WaitName(7, 0), -1),), (5,), (CHOICES[4],)
    )


def differs_ms(case: Case, session: int) -> float:
    _, latency_ns, usual_ns = lengths(case).get(WaitName(session, 0), ("", 0, 0))
    return (latency_ns - usual_ns) / MS


@given(st.integers(1, 44))
def test_a_latency_that_has_to_be_another_is_as_near_to_the_usual_one_as_can_be(
    least_ms: int,
) -> None:
    case = found(Budget(lambda case: differs_ms(case, 4) >= least_ms))

    assert case is not None
    assert case.waits == (KeptLatency(WaitName(4, 0), least_ms),)


@pytest.mark.parametrize(("least_ms", "kept_ms"), [(44.2, None), (-47.5, None)])
def test_one_that_has_to_be_as_it_is_drawn_is_so(least_ms: float, kept_ms: None) -> None:
    session = 4 if least_ms > 0 else 7

    case = found(Budget(lambda case: abs(differs_ms(case, session)) >= abs(least_ms)))

    assert case is not None
    assert case.waits == (KeptLatency(WaitName(session, 0), kept_ms),)


def test_what_two_must_differ_by_takes_no_more_of_either() -> None:
    budget = Budget(lambda case: differs_ms(case, 4) - differs_ms(case, 7) >= 60)

    case = found(budget)

    assert case is not None
    longer, shorter = (kept.by_ms or 0 for kept in case.waits or ())
    assert longer - shorter == 60
    assert not budget.is_spent


def test_one_that_cannot_lie_between_stays_as_it_is_drawn() -> None:
    def either(case: Case) -> Mapping[WaitName, tuple[str, int, int]]:
        kept = WaitName(4, 0)
        is_kept = case.waits is None or kept in {each.wait for each in case.waits}
        return {kept: ("", 900 * MS, 500 * MS)} if is_kept else {}

    case = found(Budget(lambda case: bool(either(case))), lengths=either)

    assert case is not None
    assert case.waits == (KeptLatency(WaitName(4, 0)),)


def test_what_came_by_chance_is_looked_for_farther_from_the_usual() -> None:
    case = Case(1, waits=(KeptLatency(WaitName(0, 0), -4), KeptLatency(WaitName(1, 0))))
    drawn = KeptLatency(WaitName(0, 0))

    assert [each.waits for each in farther(case)] == [
        case.waits,
        (KeptLatency(WaitName(0, 0), -5), KeptLatency(WaitName(1, 0))),
        (drawn, KeptLatency(WaitName(1, 0))),
    ]
    assert list(farther(Case(1, waits=(drawn,)))) == [Case(1, waits=(drawn,))]


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
