"""The web service under real uvicorn on loopback, with a real client."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from warpbench.agent import Agent, RetryPolicy
from warpbench.agent.frontends.web import create_app

from ...http_libraries import sdk_http
from ..scripted import Model, call, calls, final
from ..serving import OPEN_S, serving

Service = Callable[..., sdk_http.Client]


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve an agent of this model; give a client of the service."""
    with ExitStack() as stack:

        def serve(model: Model, *tools: Any, **settings: Any) -> sdk_http.Client:
            agent = Agent(
                tools,
                async_client=model.async_client(),
                retry=RetryPolicy(max_retries=0),
                **settings,
            )
            served = stack.enter_context(serving(create_app(agent, close_agent=True)))
            address = f"http://127.0.0.1:{served.port}"
            return stack.enter_context(sdk_http.Client(base_url=address, timeout=OPEN_S))

        yield serve


def echo(body: dict[str, Any]) -> dict[str, Any]:
    said = [m["content"] for m in body["messages"] if m["role"] == "user"]
    if any(t["function"]["name"] == "complete_task" for t in body.get("tools", ())):
        return calls(call("complete_task", answer=json.dumps(said)))
    return final(json.dumps(said))


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_task_is_worked_on_until_it_is_complete_and_its_calls_are_counted(
    service: Service,
) -> None:
    client = service(Model(respond=echo))
    answered = client.post("/execute_task", json={"task": "count to three"})
    assert answered.status_code == 200
    result = answered.json()
    assert result.pop("execution_time") >= 0
    assert result == {
        "task_completed": True,
        "answer": '["count to three"]',
        "iterations_used": 1,
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "cached_prompt_tokens": 0},
    }
    health = client.get("/health").json()
    assert health["status"] == "ok"
    assert health["counters"]["model_calls"] == 1


def test_a_chat_comes_piece_by_piece(service: Service) -> None:
    read = threading.Event()

    def look(at: str) -> str:
        # Nothing of the answer after the tool can have been sent yet.
        read.wait(OPEN_S)
        return "stars"

    model = Model([calls(call("look", at="the sky"), content="Let me see."), final("I see stars.")])
    client = service(model, look)
    pieces = []
    with client.stream("POST", "/chat", json={"message": "What do you see?"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            pieces.append(line)
            if "tool_started" in line:
                read.set()
    told = events("\n".join(pieces))
    assert [kind for kind, _ in told] == [
        *("text", "text", "text", "tool_started", "tool_ended", "text", "text", "text", "answer"),
    ]
    assert "".join(data["text"] for kind, data in told if kind == "text") == (
        "Let me see.I see stars."
    )
    assert told[3][1] == {"id": "call_0", "name": "look", "arguments": '{"at": "the sky"}'}
    assert told[4][1] == {"call_id": "call_0", "text": "stars", "failed": False}
    assert told[-1][1]["text"] == "I see stars."


def test_requests_at_once_share_no_conversation(service: Service) -> None:
    model = Model(respond=echo, latency_s=0.05)
    client = service(model)

    def chat(name: str) -> str:
        response = client.post("/chat", json={"message": f"secret of {name}"})
        return str(events(response.text)[-1][1]["text"])

    with ThreadPoolExecutor(8) as users:
        answers = list(users.map(chat, "abcdefgh"))
    assert answers == [f'["secret of {name}"]' for name in "abcdefgh"]
    assert model.peak_in_flight > 1


def wait_until(holds: Callable[[], bool]) -> None:
    begin_s = time.monotonic()
    while not holds():
        assert time.monotonic() < begin_s + OPEN_S
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "body"), [("/execute_task", {"task": "x"}), ("/chat", {"message": "x"})]
)
def test_a_client_that_hangs_up_cancels_the_work(
    service: Service, path: str, body: dict[str, str]
) -> None:
    model = Model([final()], latency_s=600)
    client = service(model)

    address, content = (client.base_url.host, client.base_url.port), json.dumps(body)
    with socket.create_connection(address, OPEN_S) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n{content}".encode()
        )
        wait_until(lambda: model.in_flight == 1)
    wait_until(lambda: model.in_flight == 0)
    assert model.requests == []
    assert client.get("/health").json()["counters"]["sessions"] == 1


@pytest.mark.parametrize(
    ("reply", "settings", "status", "text"),
    [
        (
            sdk_http.Response(401, json={"error": {"message": "wrong key sk-secret"}}),
            {},
            502,
            "the model's API refused with status 401",
        ),
        (sdk_http.ConnectError("to sk-secret"), {}, 502, "the model's API cannot be reached"),
        ({"choices": []}, {}, 500, "ModelAnswerError: the model's answer has no choices"),
        (final(), {"session_timeout_s": 0.05}, 504, "the agent took too long"),
    ],
)
def test_an_error_is_one_line_with_its_status_and_no_key(
    service: Service, reply: Any, settings: Any, status: int, text: str
) -> None:
    model = Model([reply, reply], latency_s=600 if settings else 0)
    client = service(model, **settings)
    answered = client.post("/execute_task", json={"task": "x"})
    assert answered.status_code == status
    assert answered.json()["error"].startswith(text)
    assert "secret" not in answered.text
    if status != 500:
        ((kind, data),) = events(client.post("/chat", json={"message": "x"}).text)
        assert kind == "error"
        assert data["error"].startswith(text)


def test_bad_input_is_refused_before_the_model_is_asked(service: Service) -> None:
    model = Model()
    client = service(model)
    bad: list[tuple[str, Any]] = [
        ("/execute_task", {}),
        ("/execute_task", {"task": ""}),
        ("/execute_task", {"task": "x", "max_iterations": 0}),
        ("/chat", {"message": "x", "history": []}),
    ]
    assert [client.post(path, json=body).status_code for path, body in bad] == [422] * len(bad)
    assert model.requests == []


@pytest.mark.once
def test_without_fastapi_it_says_what_to_install_and_the_agent_works() -> None:
    code = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda n, p=None: None if n in ("fastapi", "mcp") else found(n, p)
import warpbench.agent
assert not {"fastapi", "mcp", "starlette"} & set(sys.modules)
for name in ("warpbench.agent.frontends.web", "warpbench.agent.mcp"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "the web service needs fastapi: pip install 'warpbench[web]'",
        "MCP tools need mcp and websockets: pip install 'warpbench[mcp]'",
    ]
