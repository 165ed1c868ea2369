"""The heap of deadlines, against looking through all of them."""

import threading

from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.clock.deadlines import Deadlines
from warpbench.mocks.clock.participants import Leave, Parking, Participant

PARTICIPANTS = 8

# Who parks until when (or without a deadline), or goes on.
steps = st.lists(
    st.tuples(
        st.integers(0, PARTICIPANTS - 1),
        st.one_of(st.just("goes on"), st.none(), st.integers(0, 20)),
    ),
    max_size=400,
)


@given(steps)
def test_the_earliest_is_the_one_that_parked_first_with_the_least_deadline(
    steps: list[tuple[int, int | str | None]],
) -> None:
    participants = [Participant(threading.current_thread()) for _ in range(PARTICIPANTS)]
    deadlines = Deadlines()
    for who, what in steps:
        participant = participants[who]
        if isinstance(what, str):
            participant.set_runnable(Leave.RELEASED)
        else:
            deadlines.park(participant, Parking(participant, str), what)
        waiting = [each for each in participants if each.deadline_ns is not None]
        expected = min(waiting, key=lambda each: (each.deadline_ns, each.sequence), default=None)
        assert deadlines.earliest() is expected


def test_waits_that_end_early_leave_nothing_behind_for_long() -> None:
    participant = Participant(threading.current_thread())
    deadlines = Deadlines()
    for turn in range(10_000):
        deadlines.park(participant, Parking(participant, str), 10_000 - turn)
        participant.set_runnable(Leave.RELEASED)
    assert len(deadlines._entries) <= 100
