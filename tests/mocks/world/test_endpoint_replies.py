"""The endpoints beside the model's answers: latencies, faults, and what is remembered of them."""

import json
from functools import partial
from typing import Any

import httpx
import openai
import pytest
from warpbench.bench.runner.outcome import scripts_failures
from warpbench.mocks.clock import VirtualClock
from warpbench.mocks.errors import ScenarioError
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.waits import WaitKind
from warpbench.mocks.scenario import ModelLimits, parse_scenario
from warpbench.mocks.scenario.diagnostics import listed
from warpbench.mocks.scenario.distributions import Constant, Uniform
from warpbench.mocks.scenario.endpoints import EndpointKind, EndpointSpec
from warpbench.mocks.scenario.faults import FaultKind
from warpbench.mocks.transports.loopback import ServerProcess
from warpbench.mocks.wire.reply import whole_reply
from warpbench.mocks.world.request_draws import RequestDraws
from warpbench.mocks.world.world import World, WorldSpec

pytestmark = pytest.mark.once

OF_SERVICES = listed([kind for kind in FaultKind if not kind.alters_answer])

HEAD = """
name = "retrieval"
description = "Asks for vectors."
sessions = 1
[model]
latency_s = 1
[[rounds]]
"""
ADDRESS = "/v1/embeddings", "https://api.openai.com/v1/embeddings"
JITTER = EndpointSpec(Uniform(0.1, 0.9))
REPLY_AT = partial(whole_reply, 200, {}, b"")
NO_ERROR: Any = ({}, None)


def world(text: str = "", **more: Any) -> World:
    scenario = parse_scenario(HEAD + text)
    spec = WorldSpec({}, ModelLimits(), scenario.services, "s", endpoints=scenario.endpoints)
    return spec.world(VirtualClock(), **more)


def waits_s(of: World, *inputs: str) -> list[float]:
    bodies = (json.dumps({"input": each}).encode() for each in inputs)
    return [of.exchange("POST", *ADDRESS, body).reply.end_ns / 1e9 for body in bodies]


def test_an_endpoint_takes_what_is_usual_or_what_the_scenario_says() -> None:
    assert waits_s(world(), "x") == [EndpointKind.EMBEDDINGS.latency_s] == [0.1]
    assert waits_s(world("[endpoints.embeddings]\nlatency_s = 0.3"), "x") == [0.3]
    assert waits_s(world("[endpoints.rerank]\nlatency_s = 0.3"), "x") == [0.1]
    assert waits_s(world("[endpoints.embeddings]"), "x") == [0.1]


def test_a_drawn_latency_depends_on_the_request_and_not_on_the_order() -> None:
    text = "[endpoints.embeddings]\nlatency_s = { uniform = { low = 0.1, high = 0.9 } }"
    a_first, b_second, a_again = waits_s(world(text), "a", "b", "a")
    b_first, a_second, a_third = waits_s(world(text), "b", "a", "a")

    assert (a_first, b_second, a_again) == (a_second, b_first, a_third)
    assert len({a_first, b_second, a_again}) == 3


def test_a_fault_strikes_and_is_in_the_shape_of_the_api() -> None:
    text = '[[endpoints.embeddings.faults]]\nkind = "status"\nstatus = 429\nattempts = [1]'
    failing = world(text)
    body = b'{"input": "x"}'

    replies = [failing.exchange("POST", *ADDRESS, body).reply for _ in range(2)]

    assert [reply.status for reply in replies] == [429, 200]
    assert json.loads(replies[0].body)["error"]["code"] == "rate_limit_exceeded"
    assert scripts_failures(parse_scenario(HEAD + text))
    assert not scripts_failures(parse_scenario(HEAD))


def test_a_service_of_the_scenario_at_that_address_goes_first() -> None:
    service = """
    [[services]]
    name = "own"
    url = "https://api.openai.com/v1/embeddings"
    latency_s = 0.7
    json = { data = [] }
    """
    own = world(service)

    exchange = own.exchange("POST", *ADDRESS, b'{"input": "x"}')

    assert (exchange.service, exchange.endpoint) == ("api.openai.com", "service")
    assert waits_s(own, "x") == [0.7]


def test_it_is_a_wait_for_a_service_of_the_session_that_asks() -> None:
    meter = Meter(VirtualClock())
    asked = world(meter=meter)
    exchange = asked.exchange("POST", *ADDRESS, b'{"input": "x"}')

    token = SESSION.set(SessionScope(7))
    try:
        with asked.traffic.service_call(exchange.service, exchange.arrived_ns):
            pass
    finally:
        SESSION.reset(token)

    (wait,) = meter.waits
    assert (wait.kind, wait.session, wait.name) == (WaitKind.SERVICE, 7, "/v1/embeddings")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[endpoints.embedding]",
            "endpoints.embedding: expected 'embeddings', 'moderations', 'rerank', 'models' or "
            "'token_counts', found 'embedding' (did you mean 'embeddings'?)",
        ),
        (
            "[endpoints.rerank]\nlatency = 1",
            "endpoints.rerank.latency: expected latency_s or faults, found the unknown key "
            "'latency' (did you mean 'latency_s'?)",
        ),
        (
            '[[endpoints.rerank.faults]]\nkind = "reset"',
            "endpoints.rerank.faults[0]: expected probability or attempts, found neither",
        ),
        (
            '[[endpoints.rerank.faults]]\nkind = "empty_answer"\nattempts = [1]',
            f"endpoints.rerank.faults[0].kind: expected {OF_SERVICES}, found empty_answer, which a"
            " service cannot have",
        ),
    ],
)
def test_a_scenario_that_declares_it_wrongly_is_told_in_a_line(text: str, problem: str) -> None:
    with pytest.raises(ScenarioError, match=r"^scenario: ") as error:
        parse_scenario(HEAD + text)
    assert str(error.value) == f"scenario: {problem}"


def drawn_ns(draws: RequestDraws, asked: str) -> int:
    return draws.reply(asked, JITTER.latency, (), REPLY_AT, NO_ERROR).end_ns


def test_a_server_without_an_end_remembers_only_the_latest_requests() -> None:
    draws = RequestDraws("s", kept=2)
    first = drawn_ns(draws, "a")
    second = drawn_ns(draws, "a")
    for number in range(100):
        drawn_ns(draws, f"other {number}")

    assert first != second
    assert drawn_ns(draws, "a") == first
    assert len(draws._asked) == 2


def test_what_is_always_the_same_is_not_remembered_at_all() -> None:
    draws = RequestDraws("s")
    for number in range(10):
        draws.reply(str(number), Constant(1), (), REPLY_AT, NO_ERROR)

    assert draws._asked == {}


def test_it_is_answered_over_sockets_as_in_process() -> None:
    spec = WorldSpec(
        {}, ModelLimits(), (), "s", endpoints={EndpointKind.MODERATIONS: EndpointSpec(Constant(0))}
    )
    with (
        ServerProcess(spec) as server,
        openai.OpenAI(
            api_key="none", base_url=f"{server.root}/v1", _strict_response_validation=True
        ) as client,
    ):
        assert client.moderations.create(input="x").results[0].flagged is False
        vector = client.embeddings.create(model="m", input="x", encoding_format="float").data[0]
        assert client.models.retrieve("any").id == "any"
        head = httpx.head(f"{server.root}/v1/models")
        assert server.seen()["service_calls"] == 4

    assert len(vector.embedding) == 1536
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
