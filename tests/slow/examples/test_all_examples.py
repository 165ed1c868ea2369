"""Every example by the command: where computing takes time, twice in virtual time, over sockets."""

import pytest

from ...examples.test_examples import (
    TARGETS,
    WITH_LAB,
    require_success,
    require_true_time_over_sockets,
    require_two_equal_runs,
    run,
)

EVERY_EXAMPLE = pytest.mark.parametrize("target", TARGETS + WITH_LAB)


@EVERY_EXAMPLE
def test_every_session_succeeds_on_both_loops(target: str) -> None:
    require_success(run(target, "--clock", "warp"), "asyncio", "uvloop")


@EVERY_EXAMPLE
def test_virtual_runs_are_the_same_in_every_field(target: str) -> None:
    require_two_equal_runs(target)


@pytest.mark.parametrize("target", ["plain_sdk:build", "with_anthropic:build_with_lab"])
def test_over_real_sockets_it_takes_as_long(target: str) -> None:
    require_true_time_over_sockets(run(target, "--transport", "loopback"))
