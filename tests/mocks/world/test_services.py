"""HTTP services: which address gets which reply, and when."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from warpbench.mocks.clock import VirtualClock
from warpbench.mocks.errors import UnmockedRequestError
from warpbench.mocks.scenario import ModelLimits, ServiceSpec
from warpbench.mocks.scenario.distributions import Constant, Uniform
from warpbench.mocks.scenario.faults import FaultKind, FaultSpec
from warpbench.mocks.world.world import WorldSpec

from ...http_libraries import LIBRARIES, sdk_http
from ..mocked import Mocked

WEATHER = ServiceSpec(
    name="weather",
    url="https://weather.example.com/*",
    method="GET",
    latency=Constant(0.25),
    status=200,
    headers={"Content-Type": "application/json", "X-Sky": "clear"},
    body='{"sky": "clear"}',
)
ANY = ServiceSpec("any", "https://*.example.com/*", None, Uniform(0.1, 0.5), 503, {}, "down")


@pytest.mark.parametrize("package", LIBRARIES)
def test_a_service_answers_after_its_latency(package: type[httpx]) -> None:
    mocked = Mocked(services=(WEATHER,))

    response = mocked.run(lambda: package.get("https://weather.example.com/today?city=Vienna"))

    assert response.json() == {"sky": "clear"}
    assert response.headers["x-sky"] == "clear"
    assert mocked.now_s == 0.25
    assert mocked.traffic.service_calls == 1


def test_the_first_that_matches_answers() -> None:
    mocked = Mocked(services=(WEATHER, ANY))

    posted = mocked.run(lambda: sdk_http.post("https://weather.example.com/today"))

    assert (posted.status_code, posted.text) == (503, "down")


def test_a_service_at_a_path_such_as_a_models_is_what_its_scenario_says() -> None:
    mocked = Mocked(services=(ANY,))

    posted = mocked.run(lambda: sdk_http.post("https://chat.example.com/channels/1/messages"))

    assert (posted.status_code, posted.text) == (503, "down")
    assert mocked.traffic.llm_calls == 0


def test_a_head_has_no_body() -> None:
    mocked = Mocked(services=(ANY,))

    head = mocked.run(lambda: sdk_http.head("https://weather.example.com/today"))

    assert (head.status_code, head.headers["content-length"], head.content) == (503, "4", b"")


def test_an_address_that_no_pattern_matches_is_refused_without_its_query() -> None:
    mocked = Mocked(services=(WEATHER,))

    with pytest.raises(sdk_http.ConnectError) as refused:
        mocked.run(lambda: sdk_http.get("https://other.example.com/?key=secret"))

    cause = refused.value.__cause__
    assert isinstance(cause, UnmockedRequestError)
    assert "https://other.example.com/" in str(cause)
    assert "secret" not in str(cause) + str(refused.value)


def test_the_same_question_draws_anew_each_time_and_the_order_of_others_does_not_matter() -> None:
    def latencies(paths: list[str]) -> dict[str, list[float]]:
        mocked = Mocked(services=(ANY,))
        taken: dict[str, list[float]] = {}

        async def ask(path: str) -> None:
            begin_s = mocked.now_s
            async with sdk_http.AsyncClient() as client:
                await client.get(f"https://a.example.com/{path}")
            taken.setdefault(path, []).append(round(mocked.now_s - begin_s, 6))

        async def ask_all() -> None:
            for path in paths:
                await ask(path)

        mocked.run_async(ask_all)
        return taken

    forwards = latencies(["a", "b", "a"])

    assert latencies(["b", "a", "a"]) == forwards
    assert len({*forwards["a"], *forwards["b"]}) == 3


def test_a_client_gives_up_at_its_own_timeout() -> None:
    mocked = Mocked(services=(WEATHER,))

    async def ask() -> None:
        async with sdk_http.AsyncClient(timeout=0.1) as client:
            await client.get("https://weather.example.com/")

    with pytest.raises(sdk_http.ReadTimeout):
        mocked.run_async(ask)
    assert mocked.now_s == 0.1


def test_services_overlap() -> None:
    mocked = Mocked(services=(WEATHER,))

    async def ask() -> None:
        async with sdk_http.AsyncClient() as client:
            requests = (client.get(f"https://weather.example.com/{n}") for n in range(5))
            await asyncio.gather(*requests)

    mocked.run_async(ask)

    assert mocked.now_s == 0.25


def failing(kind: FaultKind, **more: object) -> Mocked:
    fault = FaultSpec(kind, **more)  # type: ignore[arg-type]
    return Mocked(services=(replace(WEATHER, faults=(fault,)),))


@pytest.mark.parametrize("package", LIBRARIES)
@pytest.mark.parametrize(
    ("kind", "raised", "after_s"),
    [
        (FaultKind.CONNECT_ERROR, "RemoteProtocolError", 0.0),
        (FaultKind.READ_TIMEOUT, "ReadTimeout", 5.0),
        (FaultKind.RESET, "ReadError", 0.25),
        (FaultKind.TRUNCATED, "RemoteProtocolError", 0.25),
        (FaultKind.STALLED, "ReadTimeout", 5.25),
    ],
)
def test_a_fault_breaks_off_what_it_sends(
    package: type[httpx], kind: FaultKind, raised: str, after_s: float
) -> None:
    mocked = failing(kind)

    with pytest.raises(getattr(package, raised)):
        mocked.run(lambda: package.get("https://weather.example.com/"))

    assert mocked.now_s == after_s


def test_an_error_status_comes_with_a_time_to_retry_after() -> None:
    mocked = failing(FaultKind.STATUS, status=503, retry_after_s=2, latency=Constant(0.1))

    response = mocked.run(lambda: sdk_http.get("https://weather.example.com/"))

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.text == "warpbench: a scripted fault, status 503"
    assert mocked.now_s == 0.1


def test_what_it_sends_may_be_no_json_or_come_late() -> None:
    cut = failing(FaultKind.MALFORMED_JSON)
    assert cut.run(lambda: sdk_http.get("https://weather.example.com/")).text == '{"sky": '

    late = failing(FaultKind.SLOW_DRIP, latency=Constant(2))
    response = late.run(lambda: sdk_http.get("https://weather.example.com/"))
    assert response.json() == {"sky": "clear"}
    assert late.now_s == 2.25


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if not kind.alters_answer])
def test_a_service_without_a_body_can_have_any(kind: FaultKind) -> None:
    service = replace(WEATHER, body="", faults=(FaultSpec(kind, latency=Constant(1)),))
    mocked = Mocked(services=(service,))

    def ask() -> int | None:
        try:
            return sdk_http.get("https://weather.example.com/").status_code
        except sdk_http.TransportError:
            return None

    found = mocked.run(ask)
    assert found in {200, None} or found >= 500


def test_an_attempt_is_a_request_of_the_same_and_a_retry_the_second() -> None:
    mocked = failing(FaultKind.STATUS, status=500, attempts=frozenset({1}))
    paths = ["a", "a", "b", "b"]

    statuses = [
        mocked.run(
            lambda path=path: sdk_http.get(f"https://weather.example.com/{path}").status_code
        )
        for path in paths
    ]

    assert statuses == [500, 200, 500, 200]


def test_chance_strikes_by_what_is_asked_and_not_by_when() -> None:
    def statuses(paths: list[str]) -> dict[str, int]:
        mocked = failing(FaultKind.STATUS, probability=0.5)
        return {
            path: mocked.run(
                lambda path=path: sdk_http.get(f"https://weather.example.com/{path}").status_code
            )
            for path in paths
        }

    paths = [str(number) for number in range(40)]
    forwards = statuses(paths)

    assert statuses(paths[::-1]) == forwards
    assert 10 < sum(status == 500 for status in forwards.values()) < 30


@pytest.mark.parametrize(
    ("method", "url", "is_mocked"),
    [
        ("GET", "https://weather.example.com/berlin", True),
        ("GET", "https://elsewhere.example.com/", False),
        ("POST", "https://api.openai.com/v1/chat/completions", True),
        ("GET", "https://api.openai.com/v1/chat/completions", False),
        ("POST", "https://api.openai.com/v1/embeddings", True),
        ("GET", "https://api.openai.com/v1/models/any", True),
        ("DELETE", "https://api.openai.com/v1/models/any", False),
        ("POST", "https://api.openai.com/v1/images/generations", False),
    ],
)
def test_what_would_be_answered_is_known_before_it_is_asked(
    method: str, url: str, is_mocked: bool
) -> None:
    spec = WorldSpec(sessions={}, limits=ModelLimits(), services=(WEATHER,), stream="s")
    world = spec.world(VirtualClock())
    path = urlsplit(url).path

    assert world.is_mocked(method, path, url) is is_mocked
    if is_mocked:
        world.require_mocked(method, path, url)
    else:
        with pytest.raises(UnmockedRequestError, match=f"{method} {url} is not mocked"):
            world.require_mocked(method, path, f"{url}?key=secret")
    assert len(world.traffic.refusals) == (0 if is_mocked else 1)
    assert world.traffic.http_requests == 0


def test_the_bodies_of_requests_are_summed_up_by_host() -> None:
    spec = WorldSpec(
        sessions={}, limits=ModelLimits(), services=(ANY,), stream="s", sums_up_requests=True
    )
    world = spec.world(VirtualClock())
    for body in (b"12345", b"123"):
        world.exchange("POST", "/a", "https://a.example.com/a", body)
    world.exchange("GET", "/b", "https://b.example.com/b", b"")
    assert world.traffic.requests is not None
    assert world.traffic.requests.service_bytes == {"a.example.com": 8, "b.example.com": 0}
