"""Whether sessions kept to themselves, as a value."""

import pytest
from warpbench.bench.results.isolation import NO_LEAKS, Isolation, TextLeak, summed

pytestmark = pytest.mark.once

LEAK = TextLeak(session=1, owner=0, model_call=1, at_s=0.5)


@pytest.mark.parametrize(("leaks", "sessions"), [((), 1), ((), -1), ((LEAK,), 0), ((LEAK,), -1)])
def test_sessions_that_took_up_text_and_the_text_come_together(
    leaks: tuple[TextLeak, ...], sessions: int
) -> None:
    with pytest.raises(ValueError, match=f"expected leaks of {sessions} sessions"):
        Isolation(leaks=leaks, leaked_sessions=sessions)


def test_of_several_trials_it_is_added_up() -> None:
    leaking = Isolation(leaks=(LEAK,), leaked_sessions=1, cache_hits=2)

    assert summed((leaking, NO_LEAKS, leaking)) == Isolation(
        leaks=(LEAK, LEAK), leaked_sessions=2, cache_hits=4
    )
