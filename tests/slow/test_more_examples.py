"""Properties of which the fast suite tries some examples, with several times as many."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..agent import test_nothing_leaks
from ..bench.attribution import test_breakdown
from ..bench.statistics import test_intervals
from ..mocks.model.schemas import test_instances
from ..mocks.scenario import test_fuzzed
from ..mocks.workload import test_ideal


def tried(
    examples: int, test: Any, *drawn: st.SearchStrategy[Any], **by_name: st.SearchStrategy[Any]
) -> Callable[..., None]:
    """Return a property of the fast suite as a test of so many examples."""
    more = settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    with_them: Callable[..., None] = more(given(*drawn, **by_name)(test.hypothesis.inner_test))
    return with_them


test_side_by_side_in_an_event_loop = tried(
    150, test_nothing_leaks.test_side_by_side_in_an_event_loop, test_nothing_leaks.worlds
)
test_one_after_another_in_one_conversation = tried(
    50, test_nothing_leaks.test_one_after_another_in_one_conversation, test_nothing_leaks.worlds
)
test_in_threads = tried(
    50,
    test_nothing_leaks.test_in_threads,
    test_nothing_leaks.worlds,
    st.none() | st.integers(1, 8),
)
test_whatever_was_seen_the_parts_add_up = tried(
    300, test_breakdown.test_whatever_was_seen_the_parts_add_up, test_breakdown.trials()
)
test_in_random_scenarios_nothing_is_left_over = tried(
    60, test_breakdown.test_in_random_scenarios_nothing_is_left_over, **test_breakdown.RANDOM
)
test_whatever_is_sent_as_a_schema_is_answered_validly_or_refused = tried(
    400,
    test_instances.test_whatever_is_sent_as_a_schema_is_answered_validly_or_refused,
    schema=test_instances.SENT,
)
test_of_six_it_lies_within_their_range_and_is_the_same_each_time = tried(
    200,
    test_intervals.test_of_six_it_lies_within_their_range_and_is_the_same_each_time,
    test_intervals.SIX_TO_TWELVE,
)
test_a_damaged_table_is_a_scenario_or_one_line = tried(
    300,
    test_fuzzed.test_a_damaged_table_is_a_scenario_or_one_line,
    test_fuzzed.damaged_tables(),
)
test_every_schema_that_has_instances_gets_a_valid_one = tried(
    150,
    test_instances.test_every_schema_that_has_instances_gets_a_valid_one,
    schema=test_instances.SCHEMAS,
    seed=st.sampled_from(test_instances.SEEDS),
    is_lean=st.booleans(),
)
test_no_run_is_shorter_than_its_longest_session = tried(
    100,
    test_ideal.test_no_run_is_shorter_than_its_longest_session,
    test_ideal.scripts,
    test_ideal.waits_of_any_kind,
    test_ideal.small,
    test_ideal.small,
)
test_no_run_is_shorter_than_its_work_over_the_slots = tried(
    100,
    test_ideal.test_no_run_is_shorter_than_its_work_over_the_slots,
    test_ideal.scripts,
    test_ideal.waits_of_any_kind,
    test_ideal.small,
    test_ideal.small,
)
test_one_at_a_time_takes_the_sum = tried(
    100,
    test_ideal.test_one_at_a_time_takes_the_sum,
    test_ideal.scripts,
    test_ideal.waits_of_any_kind,
    st.sampled_from([1, 2, 3, 7]),
)
test_more_slots_never_make_it_longer = tried(
    100,
    test_ideal.test_more_slots_never_make_it_longer,
    test_ideal.scripts,
    test_ideal.waits_of_any_kind,
    test_ideal.small,
)
test_more_cores_never_make_it_longer = tried(
    100,
    test_ideal.test_more_cores_never_make_it_longer,
    test_ideal.scripts,
    test_ideal.waits_of_any_kind,
    test_ideal.small,
)
test_one_more_session_never_makes_it_shorter = tried(
    100,
    test_ideal.test_one_more_session_never_makes_it_shorter,
    test_ideal.scripts,
    test_ideal.sessions,
    test_ideal.waits_of_any_kind,
    test_ideal.small,
    test_ideal.small,
)
test_meeting_fewer_waits_never_takes_longer = tried(
    100,
    test_ideal.test_meeting_fewer_waits_never_takes_longer,
    test_ideal.scripts,
    test_ideal.small,
    test_ideal.small,
)
