"""What each HTTP client raises in-process is what it raises over sockets, in real time."""

from collections.abc import Iterator

import pytest
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import VirtualClock, WarpClock, keeping_time
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.transports.loopback.app import SERVICES_PATH

from ....mocks.transports.clients_matrix import CASES, MODEL, Outcome, meet, spec
from ....mocks.transports.in_process.test_clients import table


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(spec()) as started:
        yield started


def over_sockets(client: str, situation: str, server: ServerProcess) -> Outcome:
    def url_of(url: str) -> str:
        if url.startswith(MODEL):
            return server.root + url.removeprefix(MODEL)
        return server.root + SERVICES_PATH + url.replace("://", "/")

    server.forget()  # so that each makes the first attempt
    return meet(client, situation, url_of, None)


def in_process(client: str, situation: str) -> Outcome:
    clock = VirtualClock()
    with keeping_time(clock), mocked_http(spec().world(clock)):
        return meet(client, situation, lambda url: url, lambda: ASYNCIO.create(clock))


@pytest.mark.parametrize(("client", "situation"), CASES)
def test_the_same_over_sockets(client: str, situation: str, server: ServerProcess) -> None:
    assert in_process(client, situation) == over_sockets(client, situation, server)


def test_so_it_is_where_computing_takes_time() -> None:
    assert table(WarpClock) == table(VirtualClock)
