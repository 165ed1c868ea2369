"""Every fault over every edge: the SDK raises the same, and the clock shows the same cost.

In-process on the virtual clock the cost is exact; over loopback it is real time, never less
and, on a machine that is not stalled, little more.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind
from warpbench.mocks.world.world import WorldSpec

from ...http_libraries import IS_WRAPPED_IN_STREAM, sdk_http

pytestmark = pytest.mark.once

MS = 1_000_000
TIMEOUT_S = 0.3
PATIENT_S = 120.0
TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"properties": {"word": {"type": "string"}}}},
}


@dataclass(frozen=True)
class Case:
    """A fault; what the SDK makes of it, whole and streamed; and when, in seconds."""

    fault: Fault
    whole: type[Exception] | None
    whole_s: float
    streamed: type[Exception] | None
    streamed_s: float


def case(
    kind: FaultKind,
    whole: type[Exception] | None,
    whole_s: float,
    streamed: type[Exception] | None,
    streamed_s: float,
    **more: Any,
) -> Case:
    return Case(Fault(kind, **more), whole, whole_s, streamed, streamed_s)


def status(number: int, error: type[Exception]) -> Case:
    fault = Fault(FaultKind.STATUS, status=number, delay_ns=50 * MS, retry_after_ms=20)
    return Case(fault, error, 0.05, error, 0.05)


LOST = openai.APIConnectionError
LATE = openai.APITimeoutError
LOST_IN_STREAM = LOST if IS_WRAPPED_IN_STREAM else sdk_http.ReadError
LATE_IN_STREAM = LATE if IS_WRAPPED_IN_STREAM else sdk_http.ReadTimeout
# The answer: 0.1 s; streamed, five pieces from 0.02 s on.
CASES = {
    "429": status(429, openai.RateLimitError),
    "500": status(500, openai.InternalServerError),
    "502": status(502, openai.InternalServerError),
    "503": status(503, openai.InternalServerError),
    "529": status(529, openai.InternalServerError),
    "connect_error": case(FaultKind.CONNECT_ERROR, LOST, 0.02, LOST, 0.02, delay_ns=20 * MS),
    "read_timeout": case(FaultKind.READ_TIMEOUT, LATE, 0.3, LATE, 0.3),
    "reset": case(FaultKind.RESET, LOST, 0.1, LOST_IN_STREAM, 0.04),
    "truncated": case(FaultKind.TRUNCATED, LOST, 0.1, None, 0.04),
    "stalled": case(FaultKind.STALLED, LATE, 0.4, LATE_IN_STREAM, 0.34),
    "malformed_json": case(
        FaultKind.MALFORMED_JSON, json.JSONDecodeError, 0.1, json.JSONDecodeError, 0.06
    ),
    "invalid_arguments": case(FaultKind.INVALID_ARGUMENTS, None, 0.1, None, 0.1),
    "unknown_tool": case(FaultKind.UNKNOWN_TOOL, None, 0.1, None, 0.1),
    "empty_answer": case(FaultKind.EMPTY_ANSWER, None, 0.1, None, 0.1),
    "slow_drip": case(FaultKind.SLOW_DRIP, None, 0.25, None, 0.25, delay_ns=150 * MS),
}
FORMS = ("sync whole", "sync streamed", "async whole", "async streamed")
SESSIONS = {(name, form): n for n, (name, form) in enumerate((n, f) for n in CASES for f in FORMS)}


def spec() -> WorldSpec:
    look_up = ToolCallScript("look_up", '{"word":"time"}', ToolKind.ASYNC, 0)
    sessions = {
        number: SessionScript(
            number,
            (
                ModelCallScript(
                    *(100 * MS, 11, 5, (look_up,)),
                    ttft_ns=20 * MS,
                    pieces=5,
                    faults=(CASES[name].fault,),
                ),
            ),
        )
        for (name, _), number in SESSIONS.items()
    }
    return WorldSpec(sessions, ModelLimits(), (), "faults")


class Edge:
    """One way of reaching the faulty world."""

    def __init__(
        self,
        options: dict[str, Any],
        now_s: Callable[[], float],
        new_loop: Callable[[], asyncio.AbstractEventLoop] | None,
        *,
        aiohttp: bool = False,
    ) -> None:
        self.options = {"api_key": "none", "max_retries": 0, "timeout": TIMEOUT_S, **options}
        self.now_s = now_s
        self.new_loop = new_loop
        self.aiohttp = aiohttp

    def meet(self, name: str, form: str) -> tuple[type[Exception] | None, float]:
        """Ask once; return what was raised, and after how long."""
        request: dict[str, Any] = {
            "model": "m",
            "messages": [{"role": "user", "content": task_of(SESSIONS[name, form], "any")}],
            "tools": [TOOL],
            "stream": form.endswith("streamed"),
        }
        if form.startswith("sync"):
            return self._sync(request)
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(self._async(request))

    def _sync(self, request: dict[str, Any]) -> tuple[type[Exception] | None, float]:
        with openai.OpenAI(**self.options) as client:
            begin_s = self.now_s()
            try:
                answer: Any = client.chat.completions.create(**request)
                for _ in answer if request["stream"] else ():
                    pass
            except Exception as error:  # noqa: BLE001 - what is raised is the result
                return type(error), self.now_s() - begin_s
            return None, self.now_s() - begin_s

    async def _async(self, request: dict[str, Any]) -> tuple[type[Exception] | None, float]:
        http_client = openai.DefaultAioHttpClient() if self.aiohttp else None
        async with openai.AsyncOpenAI(**self.options, http_client=http_client) as client:
            begin_s = self.now_s()
            try:
                answer: Any = await client.chat.completions.create(**request)
                if request["stream"]:
                    async for _ in answer:
                        pass
            except Exception as error:  # noqa: BLE001 - what is raised is the result
                return type(error), self.now_s() - begin_s
            return None, self.now_s() - begin_s


@pytest.fixture(scope="module")
def running() -> Iterator[ServerProcess]:
    with ServerProcess(spec()) as started:
        yield started


@pytest.fixture
def server(running: ServerProcess) -> ServerProcess:
    running.forget()  # so that each test makes the first attempt
    return running


def expected(name: str, form: str) -> tuple[type[Exception] | None, float]:
    met = CASES[name]
    if form.endswith("streamed"):
        return met.streamed, met.streamed_s
    return met.whole, met.whole_s


def test_every_kind_of_fault_has_a_case() -> None:
    assert {each.fault.kind for each in CASES.values()} == set(FaultKind)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CASES)
def test_in_process_at_the_exact_time(name: str, form: str) -> None:
    clock = VirtualClock()
    world = spec().world(clock)
    with keeping_time(clock), mocked_http(world):
        edge = Edge({}, lambda: clock.now_ns() / 1e9, lambda: ASYNCIO.create(clock))
        error, after_s = edge.meet(name, form)

    assert (error, round(after_s, 9)) == expected(name, form)
    assert world.traffic._in_flight == 0


def met_over_sockets(
    server: ServerProcess, name: str, form: str, *, aiohttp: bool = False
) -> tuple[type[Exception] | None, float]:
    """Ask over a socket, where time is real: only a client that is to give up does so soon."""
    raised, _ = expected(name, form)
    patience_s = TIMEOUT_S if raised in {LATE, LATE_IN_STREAM} else PATIENT_S
    options = {"base_url": f"{server.root}/v1", "timeout": patience_s}
    return Edge(options, time.monotonic, None, aiohttp=aiohttp).meet(name, form)


def earliest_on_any_machine_s(earliest_s: float) -> float:
    """Return a bound that holds on a busy machine: there a client may give up at the first byte.

    ``tests/slow`` holds the time itself, and how late it may be.
    """
    return min(earliest_s, TIMEOUT_S) - 0.002


# The server does not know who asks: the slow suite has all forms.
@pytest.mark.parametrize("form", ["sync whole", "async streamed"])
@pytest.mark.parametrize("name", CASES)
def test_over_sockets_by_the_sdks_own_client(name: str, form: str, server: ServerProcess) -> None:
    error, after_s = met_over_sockets(server, name, form)

    raised, earliest_s = expected(name, form)
    assert error is raised
    assert after_s >= earliest_on_any_machine_s(earliest_s)


@pytest.mark.parametrize("form", ["async streamed"])
@pytest.mark.parametrize("name", CASES)
def test_over_sockets_by_aiohttp(name: str, form: str, server: ServerProcess) -> None:
    error, after_s = met_over_sockets(server, name, form, aiohttp=True)

    raised, earliest_s = expected(name, form)
    # aiohttp's adapter reports a lost connection as a timeout of connecting, which is one too.
    assert error is raised or (error and raised and issubclass(error, raised))
    assert after_s >= earliest_on_any_machine_s(earliest_s)


def test_what_the_server_saw_is_told(server: ServerProcess) -> None:
    edge = Edge({"base_url": f"{server.root}/v1"}, time.monotonic, None)

    edge.meet("500", "sync whole")
    edge.meet("empty_answer", "sync whole")

    seen = server.seen()
    assert seen["http_requests"] == seen["llm_calls"] == 2
    assert seen["peak_in_flight"] == 1
    asked = {session for session, _step, _at_ns in seen["asked_ns"]}
    assert asked == {SESSIONS["500", "sync whole"], SESSIONS["empty_answer", "sync whole"]}
    assert [call[:2] for call in seen["read_ns"]] == [[SESSIONS["empty_answer", "sync whole"], 0]]
    assert server.capacity_per_s > 0
