"""The waits of a target's own, of each kind by every strategy on every loop."""

import pytest

from ....bench.trial import own_tools
from ....bench.trial.own_tools import Build
from ....bench.trial.test_own_waits import (
    ASYNC_AT_ONCE,
    ASYNC_IN_TURN,
    IN_THREADS,
    ON_LOOPS,
    REPEATED,
    check_ideal,
    check_in_turn,
    check_repeats,
    check_that_parts_add_up,
    check_warp,
    check_what_others_end,
    run,
)


@pytest.mark.parametrize(("strategy", "loop"), ON_LOOPS)
@pytest.mark.parametrize(("target", "function", "awaits", "waits"), ASYNC_IN_TURN)
def test_own_tools_in_turn_are_told_with_their_place_and_what_at_once_saves(
    target: Build, function: str, awaits: str, waits: int, strategy: str, loop: str
) -> None:
    check_in_turn(run(target, strategy, loop), function, awaits, waits)


@pytest.mark.parametrize(("strategy", "loop"), ON_LOOPS)
@pytest.mark.parametrize("target", ASYNC_AT_ONCE)
def test_at_once_they_reach_the_ideal(target: Build, strategy: str, loop: str) -> None:
    check_ideal(run(target, strategy, loop))


@pytest.mark.parametrize(("strategy", "loop"), IN_THREADS)
def test_so_it_is_in_plain_code(strategy: str, loop: str) -> None:
    check_in_turn(run(own_tools.plainly_in_turn, strategy, loop), "blocks", "time.sleep", 2)
    check_ideal(run(own_tools.plainly_at_once, strategy, loop))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(("target", "strategy"), REPEATED)
def test_every_run_notes_the_same(target: Build, strategy: str, loop: str) -> None:
    check_repeats(target, strategy, loop)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("target", [each[0] for each in ASYNC_IN_TURN])
def test_in_warp_the_same_waits_are_noted(target: Build, loop: str) -> None:
    check_warp(target, "gather", loop)


@pytest.mark.parametrize(
    ("target", "awaits", "strategy", "loop"),
    [
        (target, awaits, *how)
        for target, awaits, strategies in (
            (own_tools.for_an_event, "asyncio.Event.wait", ON_LOOPS),
            (own_tools.for_a_queue, "asyncio.Queue.get", ON_LOOPS),
            (own_tools.plainly_for_an_event, "threading.Event.wait", IN_THREADS),
            (own_tools.plainly_for_a_queue, "queue.Queue.get", IN_THREADS),
        )
        for how in strategies
    ],
)
def test_what_others_end_is_told_by_place_and_is_no_part_of_the_ideal(
    target: Build, awaits: str, strategy: str, loop: str
) -> None:
    check_what_others_end(run(target, strategy, loop), awaits)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("seed", range(8))
def test_whatever_tools_do_the_ideal_is_never_beaten_and_the_parts_add_up(
    seed: int, loop: str
) -> None:
    check_that_parts_add_up(seed, loop)
