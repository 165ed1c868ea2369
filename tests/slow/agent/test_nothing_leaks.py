"""Whatever tools do and whenever it is cancelled nothing is left: tried more often."""

from hypothesis import given

from ...agent.test_nothing_leaks import (
    World,
    check_in_threads,
    check_one_after_another,
    check_side_by_side,
    examples,
    pytestmark,
    session_timeouts_s,
    worlds,
)

__all__ = ["pytestmark"]


@examples(200)
@given(worlds)
def test_side_by_side_in_an_event_loop(world: World) -> None:
    check_side_by_side(world)


@examples(100)
@given(worlds)
def test_one_after_another_in_one_conversation(world: World) -> None:
    check_one_after_another(world)


@examples(100)
@given(worlds, session_timeouts_s)
def test_in_threads(world: World, session_timeout_s: int | None) -> None:
    check_in_threads(world, session_timeout_s)
