"""Each kind of import that forks would share, or lack, makes each trial import its target."""

import pytest

from ....bench.runner.test_forked import ALONE, Writes, check_alone, pytestmark, writes

__all__ = ["pytestmark", "writes"]


@pytest.mark.parametrize("does", ALONE)
def test_a_target_whose_import_forks_would_share_or_lack_is_imported_by_each_trial(
    does: str,
    writes: Writes,
) -> None:
    check_alone(does, writes)
