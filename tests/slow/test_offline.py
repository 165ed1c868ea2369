"""A run needs no network, whatever the strategy and the clock; and each way out is one."""

from pathlib import Path

import pytest

from ..mocks.network.test_guard import WAYS, needs_network, tried
from ..test_offline import needs_namespaces, run_without_a_network


@needs_namespaces
@pytest.mark.parametrize("clock", ["virtual", "warp"])
def test_a_run_in_a_network_namespace_without_a_route(clock: str, tmp_path: Path) -> None:
    assert len(run_without_a_network(tmp_path, clock)) == 8


@needs_namespaces
@pytest.mark.parametrize("clock", ["virtual", "warp"])
def test_isolated_trials_in_a_network_namespace_without_a_route(clock: str, tmp_path: Path) -> None:
    """A namespace within a namespace, as in a container that allows it."""
    assert len(run_without_a_network(tmp_path, clock, "--network", "isolated")) == 8


@needs_network
@pytest.mark.parametrize(("place", "name", "host"), WAYS, ids=lambda value: value)
def test_each_way_out_sends_a_packet_where_nothing_refuses_it(
    place: str, name: str, host: str
) -> None:
    """So the counter sees it, and the guard has something to refuse."""
    hosts = tried("open")[place, name][1]

    # To join a group is told of within seconds, and here in the time of the attempts that follow.
    assert hosts or "multicast" in name, host
    if "multicast" in name:
        assert any("224.0.0.22" in hosts for _, hosts in tried("open").values())
