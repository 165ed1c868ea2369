"""HTTP services: which address gets which reply, and when."""

import asyncio

import httpx
import httpx2
import pytest
from warpbench.mocks.errors import UnmockedRequestError
from warpbench.mocks.latency import Constant, Uniform
from warpbench.mocks.scenario import ServiceSpec

from .mocked import Mocked

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


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_a_service_answers_after_its_latency(package: type[httpx]) -> None:
    mocked = Mocked(services=(WEATHER,))

    response = mocked.run(lambda: package.get("https://weather.example.com/today?city=Vienna"))

    assert response.json() == {"sky": "clear"}
    assert response.headers["x-sky"] == "clear"
    assert mocked.now_s == 0.25
    assert mocked.traffic.service_calls == 1


def test_the_first_that_matches_answers() -> None:
    mocked = Mocked(services=(WEATHER, ANY))

    posted = mocked.run(lambda: httpx2.post("https://weather.example.com/today"))

    assert (posted.status_code, posted.text) == (503, "down")


def test_an_address_that_no_pattern_matches_is_refused_without_its_query() -> None:
    mocked = Mocked(services=(WEATHER,))

    with pytest.raises(UnmockedRequestError) as refused:
        mocked.run(lambda: httpx2.get("https://other.example.com/?key=secret"))

    assert "https://other.example.com/" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_same_question_draws_anew_each_time_and_the_order_of_others_does_not_matter() -> None:
    def latencies(paths: list[str]) -> dict[str, list[float]]:
        mocked = Mocked(services=(ANY,))
        taken: dict[str, list[float]] = {}

        async def ask(path: str) -> None:
            begin_s = mocked.now_s
            async with httpx2.AsyncClient() as client:
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
        async with httpx2.AsyncClient(timeout=0.1) as client:
            await client.get("https://weather.example.com/")

    with pytest.raises(httpx2.ReadTimeout):
        mocked.run_async(ask)
    assert mocked.now_s == 0.1


def test_services_overlap() -> None:
    mocked = Mocked(services=(WEATHER,))

    async def ask() -> None:
        async with httpx2.AsyncClient() as client:
            requests = (client.get(f"https://weather.example.com/{n}") for n in range(5))
            await asyncio.gather(*requests)

    mocked.run_async(ask)

    assert mocked.now_s == 0.25
