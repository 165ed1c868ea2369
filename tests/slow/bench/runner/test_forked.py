"""Each kind of import that forks would share, or lack, makes each trial import its target."""

import pytest

from ....bench.runner.test_forked import (
    ALONE,
    TELLS,
    Writes,
    both_ways,
    check_alone,
    pytestmark,
    writes,
)

__all__ = ["pytestmark", "writes"]


@pytest.mark.parametrize("does", ALONE)
def test_a_target_whose_import_forks_would_share_or_lack_is_imported_by_each_trial(
    does: str,
    writes: Writes,
) -> None:
    check_alone(does, writes)


DRAWING = """
    import random

    DRAWN = random.random()

    async def tells(task):
        return DRAWN
"""


def test_an_import_that_draws_a_number_draws_it_from_each_trials_seed(writes: Writes) -> None:
    _, told = both_ways(writes("drawing", DRAWING + TELLS))
    assert len(told) == 1
