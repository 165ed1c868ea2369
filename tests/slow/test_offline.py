"""A run needs no network, whatever the strategy and the clock."""

from pathlib import Path

import pytest

from ..test_offline import needs_namespaces, run_without_a_network


@needs_namespaces
@pytest.mark.parametrize("clock", ["virtual", "warp"])
def test_a_run_in_a_network_namespace_without_a_route(clock: str, tmp_path: Path) -> None:
    assert len(run_without_a_network(tmp_path, clock)) == 8
