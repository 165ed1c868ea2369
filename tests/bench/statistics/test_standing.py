"""How cells stand to the best of their load: a lead is shown, or it is none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.records import CellResult, LatencySummary, SessionCounts, Status
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.statistics.standing import Standing, places_of, standing_to, undecided
from warpbench.mocks.clock import ClockMode

from ...built import cell_result, trial_figures

pytestmark = pytest.mark.once

ALL = SessionCounts(started=30, succeeded=30)
FASTEST, TIED, UNRANKED, SLOWER = (
    Standing.FASTEST,
    Standing.TIED,
    Standing.UNRANKED,
    Standing.SLOWER,
)


def measured(*rates: float, clock: ClockMode = ClockMode.WARP, **fields: object) -> CellResult:
    """A cell with trials of these throughputs."""
    return cell_result(
        clock=clock,
        sessions=ALL,
        trials=len(rates),
        throughput_per_s=sorted(rates)[len(rates) // 2],
        trial_figures=tuple(map(trial_figures, rates)),
        **fields,
    )


def standings(*results: CellResult) -> list[Standing]:
    """How they stand, in the order in which they are given."""
    places = {id(place.result): place.standing for place in places_of(results)}
    return [places[id(result)] for result in results]


@pytest.mark.parametrize(
    ("rates", "standing"),
    [
        ((100.0, 101.0, 102.0), TIED),
        ((97.0, 98.0, 98.5), TIED),  # shown to be slower, by less than a choice turns on
        ((80.0, 81.0, 82.0), SLOWER),
        ((80.0, 101.0, 120.0), UNRANKED),
        ((60.0, 95.0, 100.0), UNRANKED),
    ],
)
def test_a_cell_is_tied_slower_or_cannot_be_ranked_by_the_ratio_of_its_trials(
    rates: tuple[float, ...], standing: Standing
) -> None:
    best = measured(100.0, 101.0, 102.0)
    assert standing_to(best, measured(*rates)) is standing


def test_what_slows_both_down_for_a_while_tells_nothing_of_either() -> None:
    assert standings(measured(100.0, 50.0, 102.0), measured(80.0, 40.0, 81.0)) == [FASTEST, SLOWER]


def test_a_star_needs_a_lead_over_all_others() -> None:
    best, slow = measured(100.0, 101.0, 102.0), measured(50.0, 50.5, 51.0)
    level, noisy = measured(99.0, 100.0, 101.0), measured(60.0, 95.0, 100.0)
    assert standings(slow, best) == [SLOWER, FASTEST]
    assert standings(level, slow, best) == [TIED, SLOWER, TIED]
    assert standings(noisy, slow, best) == [UNRANKED, SLOWER, UNRANKED]
    assert standings(noisy, level, best) == [UNRANKED, TIED, TIED]


def test_equals_are_all_tied_whoever_was_named_first() -> None:
    rates = (100.0, 100.0, 100.0)
    assert standings(measured(*rates), measured(*rates)) == [TIED, TIED]


def test_one_trial_ranks_nobody_where_computing_takes_time() -> None:
    assert standings(measured(100.0), measured(10.0)) == [UNRANKED, UNRANKED]


def test_in_virtual_time_one_trial_is_as_good_as_many() -> None:
    best, near, slow = (measured(rate, clock=ClockMode.VIRTUAL) for rate in (100.0, 96.0, 94.0))
    assert standings(best, slow) == [FASTEST, SLOWER]
    assert standings(best, near, slow) == [TIED, TIED, SLOWER]


def test_a_cell_that_lost_sessions_or_went_beyond_its_load_is_behind_every_sound_one() -> None:
    lossy = replace(
        measured(200.0, 201.0, 202.0), sessions=SessionCounts(started=30, succeeded=29, failed=1)
    )
    beyond = measured(200.0, 201.0, 202.0, concurrency=10, mean_in_flight=20.0)
    sound = measured(50.0, 51.0, 52.0)
    assert standings(lossy, beyond, sound) == [SLOWER, SLOWER, FASTEST]


def test_what_has_no_result_has_no_place_and_what_served_nobody_is_slower() -> None:
    failed = replace(measured(1.0), status=Status.FAILED)
    nothing = replace(measured(0.0, 0.0, 0.0), sessions=SessionCounts(started=30, failed=30))
    assert [place.standing for place in places_of([failed, nothing])] == [SLOWER]


def test_another_trial_is_for_whom_it_helps_to_rank() -> None:
    best, noisy = measured(100.0, 101.0, 102.0), measured(60.0, 95.0, 100.0)
    level, slow = measured(99.0, 100.0, 101.0), measured(50.0, 50.5, 51.0)
    ahead = measured(100.0, 101.0, 102.0, 101.5)
    assert undecided([best, level, slow]) == ()
    assert set(map(id, undecided([best, noisy, slow]))) == {id(best), id(noisy)}
    assert undecided([ahead, noisy, slow]) == (noisy,)  # its fourth trial has a partner already


@given(
    cells=st.lists(
        st.lists(st.floats(min_value=1, max_value=1e6), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    )
)
def test_there_is_one_fastest_or_none_and_never_beside_a_tie(cells: list[list[float]]) -> None:
    found = standings(*(measured(*rates) for rates in cells))
    fastest = found.count(FASTEST)
    assert fastest <= 1
    if fastest:
        assert set(found) <= {FASTEST, SLOWER}
    else:
        assert {TIED, UNRANKED} & set(found)
    assert found.count(TIED) != 1


def refused(rate: float, cost_s: float) -> CellResult:
    """A cell of 30 sessions of 1 s each, whose refused requests cost so much in all."""
    host = RefusedHost(host="a.example", requests=30, sessions=30, cost_s=cost_s)
    return measured(rate, rate, rate, refused=(host,), latency_s=LatencySummary(mean=1.0))


def test_a_cell_whose_refused_requests_cost_more_than_a_hundredth_is_in_no_comparison() -> None:
    distorted, sound = refused(200.0, cost_s=0.31), refused(100.0, cost_s=0.3)
    slower = measured(80.0, 80.0, 80.0)

    assert standings(distorted, sound, slower) == [Standing.NOT_RANKED, FASTEST, SLOWER]
    assert [place.result for place in places_of([distorted, sound, slower])][-1] is distorted
    assert standings(distorted, distorted) == [Standing.NOT_RANKED] * 2
    assert undecided([distorted, sound, slower]) == ()
