"""The loopback server: what it serves on its own, and what it refuses."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import openai
import pytest
from warpbench.mocks.errors import UnmockedRequestError, UsageError
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import ModelLimits, ServiceSpec
from warpbench.mocks.scenario.distributions import Constant
from warpbench.mocks.scenario.faults import Fault, FaultKind, FaultSpec
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.transports.loopback.serving import bound_socket
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.world import WorldSpec

from ....conftest import TIMEOUT_S
from ....http_libraries import sdk_http
from ...mocked import PROMPT

WEATHER = ServiceSpec(
    "weather", "https://weather.example.com/*", None, Constant(0.01), 201, {"X-Sky": "clear"}, "ok"
)
BROKEN = replace(
    WEATHER,
    url="https://broken.example.com/*",
    faults=(FaultSpec(FaultKind.RESET, attempts=frozenset({1})),),
)
SPACED = replace(WEATHER, url="https://spaced.example.com/a%20b/*")
MS = 1_000_000
FAULTY = {1: FaultKind.CONNECT_ERROR, 2: FaultKind.RESET}
"""Sessions whose first attempt meets a fault of the connection."""
USER: list[Any] = [{"role": "user", "content": PROMPT}]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    sessions = {0: SessionScript(0, (ModelCallScript(0, 1, 5, ()),))}
    for number, kind in FAULTY.items():
        fault = Fault(kind, delay_ns=50 * MS, share=0.5)
        call = ModelCallScript(50 * MS, 1, 5, (), faults=(fault,))
        sessions[number] = SessionScript(number, (call,))
    limits = ModelLimits(requests_per_minute=60)
    services = (WEATHER, BROKEN, SPACED)
    with ServerProcess(WorldSpec(sessions, limits, services, "any", notes_waits=True)) as running:
        yield running


def test_a_service_is_reached_below_a_path_of_its_own(server: ServerProcess) -> None:
    answer = sdk_http.get(f"{server.root}/services/https/weather.example.com/today?city=Vienna")

    assert (answer.status_code, answer.text, answer.headers["x-sky"]) == (201, "ok", "clear")


def test_a_head_has_no_body_and_the_next_answer_is_its_own(server: ServerProcess) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    path = "/services/https/weather.example.com/today"
    bodies = []
    for method in ("HEAD", "GET"):
        connection.request(method, path)
        answer = connection.getresponse()
        bodies.append((answer.status, answer.headers["content-length"], answer.read()))
    connection.close()

    assert bodies == [(201, "2", b""), (201, "2", b"ok")]


def test_a_service_is_matched_by_the_path_as_it_was_sent(server: ServerProcess) -> None:
    address = f"{server.root}/services/https/spaced.example.com/a%20b/c"

    assert sdk_http.get(address).text == "ok"


def test_a_fault_of_a_service_strikes_over_sockets_too(server: ServerProcess) -> None:
    server.forget()
    address = f"{server.root}/services/https/broken.example.com/today"
    with pytest.raises(sdk_http.ReadError):
        sdk_http.get(address)

    assert sdk_http.get(address).text == "ok"


def test_what_nobody_mocks_is_not_found(server: ServerProcess) -> None:
    answer = sdk_http.get(f"{server.root}/v1/files")

    assert answer.status_code == 404
    assert "is not mocked" in answer.json()["error"]["message"]


def test_rate_limits_are_told_in_the_headers_of_the_api(server: ServerProcess) -> None:
    server.forget()
    with openai.OpenAI(api_key="none", base_url=f"{server.root}/v1") as client:
        raw = client.chat.completions.with_raw_response.create(model="m", messages=USER)

    assert raw.headers["x-ratelimit-limit-requests"] == "60"
    assert raw.headers["x-ratelimit-remaining-requests"] == "59"
    assert raw.headers["x-ratelimit-reset-requests"].endswith("ms")


def test_connections_are_kept_alive(server: ServerProcess) -> None:
    server.forget()
    connection = HTTPConnection("127.0.0.1", server.port)
    used = set()
    for _ in range(3):
        connection.request("GET", "/nothing")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (404, True)
        used.add(connection.sock)
    connection.close()

    assert len(used) == 1


def test_it_ends_with_its_parent() -> None:
    program = (
        "import os, signal\n"
        "from warpbench.mocks.transports.loopback import ServerProcess\n"
        "from warpbench.mocks.world.world import WorldSpec\n"
        "from warpbench.mocks.scenario import ModelLimits\n"
        "s = ServerProcess(WorldSpec({}, ModelLimits(), (), 'x'))\n"
        "print(s._child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert finished.returncode == -signal.SIGKILL
    pid = int(finished.stdout)
    for _ in range(2400):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    pytest.fail("the server outlived its parent")


def test_a_port_that_is_taken_is_told(server: ServerProcess) -> None:
    with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{server.port}: Address"):
        bound_socket("127.0.0.1", server.port)


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(UnmockedRequestError):
        bound_socket("0.0.0.0", 0)


def test_what_a_fault_makes_a_session_wait_for_is_a_wait(server: ServerProcess) -> None:
    for number in FAULTY:
        server.forget()
        messages: list[Any] = [{"role": "user", "content": task_of(number, "anything")}]
        with openai.OpenAI(api_key="none", base_url=f"{server.root}/v1", max_retries=0) as client:
            with pytest.raises(openai.APIConnectionError):
                client.chat.completions.create(model="m", messages=messages)
        (wait,) = server.seen()["waits"]
        assert wait["waited_ns"] == 50 * MS


def test_a_server_counts_what_nothing_mocks_and_answers_who_counts_tokens(
    server: ServerProcess,
) -> None:
    server.forget()
    with openai.OpenAI(api_key="none", base_url=f"{server.root}/v1", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError):
            client.images.generate(prompt="x")
        assert client.responses.input_tokens.count(model="m", input="some words").input_tokens > 0
        (refused,) = server.seen()["refusals"]

    assert (refused["host"], refused["path"], refused["session"]) == (
        "",
        "/v1/images/generations",
        -1,
    )
