"""A run needs no network, whatever the strategy and the clock; and each way out is one."""

from pathlib import Path

import pytest

from ..conftest import Warpbench
from ..mocks.network.isolation import needs_isolation
from ..mocks.network.test_guard import WAYS, needs_network, tried
from ..test_offline import (
    MACHINES,
    needs_namespaces,
    reached_by_a_restless_target,
    refuse_to_run_without_isolation,
    run_without_a_network,
)


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


@needs_isolation
def test_an_isolated_run_over_sockets_reaches_its_own_server(warpbench: Warpbench) -> None:
    load = ("--sessions", "2", "--concurrency", "2", "--trials", "1", "--strategy", "gather")
    finished = warpbench(
        *("run", "chat", "--transport", "loopback", *load, "--network", "isolated")
    )

    assert finished.status == 0, finished.err
    assert [cell["sessions"]["succeeded"] for cell in finished.cells] == [2, 2]


@needs_isolation
def test_an_isolated_run_is_resumed_in_isolation_only(warpbench: Warpbench) -> None:
    load = ("--sessions", "2", "--concurrency", "2", "--clock", "virtual", "--strategy", "gather")
    command = ("run", "chat", *load, "--network", "isolated")
    assert warpbench(*command).status == 0

    assert warpbench(*command, "--resume", "results").status == 0
    other = warpbench("run", "chat", *load, "--resume", "results")

    assert other.status == 2
    assert "--network isolated" in other.err


@needs_namespaces
@pytest.mark.parametrize("command", ["advise", "baseline", "gate"])
def test_where_there_is_no_isolation_no_trial_is_begun(command: str, tmp_path: Path) -> None:
    refuse_to_run_without_isolation(command, tmp_path)


@needs_network
def test_what_the_default_does_not_see_is_sent(tmp_path: Path) -> None:
    """As the README says: C code and child processes are refused nothing, unless isolated."""
    assert reached_by_a_restless_target("shared", tmp_path) == {
        MACHINES["C code"],
        MACHINES["a child process"],
    }
