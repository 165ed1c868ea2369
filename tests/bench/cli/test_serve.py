"""``warpbench serve``: a server that any client may talk to, until Ctrl-C."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ...conftest import TIMEOUT_S

pytestmark = pytest.mark.once

FAILING = """
name = "failing"
description = "Its first attempt fails, and its embeddings take their time."
sessions = 1
[model]
latency_s = 0
[[rounds]]
[[faults]]
kind = "status"
status = 503
attempts = [1]
[endpoints.embeddings]
latency_s = 0.02
[[endpoints.embeddings.faults]]
kind = "status"
status = 429
attempts = [1]
[[services]]
name = "weather"
url = "https://api.weather.example/*"
latency_s = 0
"""
SLOW = """
name = "slow"
description = "One answer that is written for a minute."
sessions = 1
[model]
latency_s = 60
ttft_s = 0.1
completion_tokens = 100
[[rounds]]
"""


class Server(NamedTuple):
    """A server, and the first line that it has printed: its address stands last in it."""

    process: subprocess.Popen[str]
    root: str


def serve(scenario: str) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "warpbench.bench.cli.main", "serve", scenario, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return Server(process, process.stdout.readline().split()[-1])


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """Serve the simplest scenario to all tests that ask it, and end the server by Ctrl-C."""
    server = serve("two-sleeps")
    try:
        yield server
        server.process.send_signal(signal.SIGINT)
        _, errors = server.process.communicate(timeout=TIMEOUT_S)
        assert "Traceback" not in errors
        assert server.process.returncode in {0, 130}
    finally:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def served_alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Serve the scenario whose text is the test's parameter."""
    scenario = tmp_path / "given.toml"
    scenario.write_text(request.param)
    server = serve(str(scenario))
    yield server
    server.process.kill()
    server.process.communicate()


def test_a_chat_may_have_more_turns_than_its_scenario(served: Server) -> None:
    messages: list[Any] = [{"role": "user", "content": "hello"}]
    with openai.OpenAI(api_key="none", base_url=f"{served.root}/v1", max_retries=0) as client:
        completion = client.chat.completions.create(model="m", messages=messages)
        messages += [completion.choices[0].message, {"role": "user", "content": "and now?"}]
        further = client.chat.completions.create(model="m", messages=messages)

    assert completion.choices[0].message.content != further.choices[0].message.content


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "body"),
    [
        ("GET", "/v1/chat/completions", {}, 405, {"error": {"type": "invalid_request_error"}}),
        ("PUT", "/v1/responses", {}, 405, {"error": {"type": "invalid_request_error"}}),
        (
            "DELETE",
            "/v1/messages",
            {},
            405,
            {"type": "error", "error": {"type": "invalid_request_error"}},
        ),
        ("POST", "/v1/images/generations", {}, 404, {"error": {"type": "invalid_request_error"}}),
        (
            "POST",
            "/v1/complete",
            {"anthropic-version": "2023-06-01"},
            404,
            {"type": "error", "error": {"type": "not_found_error"}},
        ),
    ],
)
def test_what_is_not_served_is_refused_in_the_shape_of_its_api(
    served: Server,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    body: dict[str, Any],
) -> None:
    answer = httpx.request(method, served.root + path, headers=headers)

    assert answer.status_code == status
    found = answer.json()
    assert found["error"].pop("message").startswith("warpbench: ")
    assert found.get("type") == body.get("type")
    assert found["error"]["type"] == body["error"]["type"]
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


def test_a_page_of_any_origin_may_ask_and_read(
    served: Server,
) -> None:
    asks = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    address = f"{served.root}/v1/chat/completions"

    before = httpx.options(address, headers=asks)
    answer = httpx.post(address, headers={"origin": "https://page.example"}, content=b"{}")

    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == "*"
    assert before.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in before.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("served_alone", [SLOW], indirect=True, ids=["slow"])
def test_ctrl_c_in_the_middle_of_a_stream_is_one_line(served_alone: Server) -> None:
    process, root = served_alone
    question = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with httpx.stream("POST", f"{root}/v1/chat/completions", json=question) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        process.send_signal(signal.SIGINT)
        with pytest.raises(httpx.RemoteProtocolError):  # it has begun, and is cut before its end
            list(pieces)
    _, errors = process.communicate(timeout=TIMEOUT_S)

    assert errors == "warpbench: interrupted\n"
    assert process.returncode == 130


def families(root: str) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = httpx.get(f"{root}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("warpbench_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("served_alone", [FAILING], indirect=True, ids=["failing"])
def test_its_metrics_say_what_it_has_done(served_alone: Server) -> None:
    _, root = served_alone
    messages: list[Any] = [{"role": "user", "content": "hello"}]
    with openai.OpenAI(api_key="none", base_url=f"{root}/v1", max_retries=1) as client:
        client.chat.completions.create(model="m", messages=messages)
        client.embeddings.create(model="m", input="x")
        client.models.list()
        with pytest.raises(openai.NotFoundError):
            client.images.generate(prompt="x")
    httpx.get(f"{root}/services/https/api.weather.example/now")

    seen = families(root)

    assert {key: value for key, value in seen.items() if key[0] == "requests_total"} == {
        ("requests_total", ("chat/completions", "503")): 1,
        ("requests_total", ("chat/completions", "200")): 1,
        ("requests_total", ("embeddings", "429")): 1,
        ("requests_total", ("embeddings", "200")): 1,
        ("requests_total", ("models", "200")): 1,
        ("requests_total", ("refused", "404")): 1,
        ("requests_total", ("service", "200")): 1,
    }
    assert seen["refused_requests_total", ()] == 1
    assert seen["faults_total", ("status",)] == 2
    assert seen["tokens_total", ("completion",)] == 80
    assert seen["model_calls_in_flight", ()] == 0
    assert seen["request_duration_seconds_count", ("embeddings",)] == 2
    # Refused at once, and answered after its latency; on a busy machine either takes longer.
    buckets = [
        value
        for (name, labels), value in seen.items()
        if (name, labels[:1]) == ("request_duration_seconds_bucket", ("embeddings",))
    ]
    assert buckets == sorted(buckets)
    assert seen["request_duration_seconds_bucket", ("embeddings", "0.01")] <= 1
    assert buckets[-1] == 2
    assert seen["request_duration_seconds_sum", ("embeddings",)] >= 0.02


def test_its_health_is_asked_like_that_of_other_servers(
    served: Server,
) -> None:
    _, root = served

    answer = httpx.get(f"{root}/health", headers={"origin": "https://page.example"})
    head = httpx.head(f"{root}/metrics")
    posted = httpx.post(f"{root}/health")

    assert answer.json() == {"status": "ok", "scenario": "two-sleeps"}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


def test_google_and_cohere_clients_are_told_their_addresses(
    served: Server,
) -> None:
    process, root = served
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(5)]

    assert f"GOOGLE_GEMINI_BASE_URL={root}" in lines
    assert f"CO_API_URL={root}" in lines
    assert f"metrics: {root}/metrics, health: {root}/health" in lines
