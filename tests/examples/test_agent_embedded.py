"""The examples of the agent in other people's loops, against a fake model on loopback."""

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from ..agent.fake_model import FakeModel
from ..agent.scripted import call, calls, final
from ..agent.serving import Served, serving
from ..http_libraries import sdk_http

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
TIMEOUT_S = 60


def respond(body: dict[str, Any]) -> dict[str, Any]:
    """Call each tool that is offered once, then answer."""
    called = [c["function"]["name"] for m in body["messages"] for c in m.get("tool_calls", ())]
    for offered in body.get("tools", ()):
        function = offered["function"]
        if function["name"] not in called:
            kinds = function["parameters"]["properties"].items()
            arguments = {name: 21 if kind["type"] == "integer" else "Oslo" for name, kind in kinds}
            return calls(call(function["name"], f"call_{len(called)}", **arguments))
    last = next(m for m in reversed(body["messages"]) if m["role"] == "user")
    return final(f"Answering: {last['content']}")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeModel, Served]]:
    fake = FakeModel(respond)
    with serving(fake.app) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{served.port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        yield fake, served


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def needs(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make examples")


def test_in_a_plain_asyncio_program(model: tuple[FakeModel, Served]) -> None:
    ran = subprocess.run(
        [sys.executable, "agent_in_asyncio.py"],
        cwd=EXAMPLES,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        *(f"Answering: Do I need an umbrella in {city}?" for city in ("Oslo", "Rome", "Lima")),
        "6 calls, Usage(prompt_tokens=60, completion_tokens=12, cached_prompt_tokens=0)",
    ]


def test_in_a_starlette_app(model: tuple[FakeModel, Served]) -> None:
    fake, _ = model
    with (
        serving(load("agent_in_starlette").app) as served,
        sdk_http.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=TIMEOUT_S) as client,
    ):
        asked = [client.get("/ask", params={"question": f"{n}?"}).text for n in range(3)]
        assert asked == [f"Answering: {n}?" for n in range(3)]
        assert client.get("/tell", params={"about": "tea"}).text == "Answering: tea"
    # No request has seen another's.
    assert [len(body["messages"]) for body in fake.bodies] == [2] * 4


def test_in_django_channels(model: tuple[FakeModel, Served]) -> None:
    needs("channels", "django")

    async def main(port: str) -> None:
        address = f"ws://127.0.0.1:{port}/chat"
        async with connect(address) as first, connect(address) as second:
            assert await ask(first, "one") == "Answering: one"
            assert await ask(second, "two") == "Answering: two"
            assert await ask(first, "three") == "Answering: three"

    async def ask(socket: ClientConnection, question: str) -> str:
        await socket.send(question)
        answer = ""
        async with asyncio.timeout(TIMEOUT_S):
            while text := await socket.recv(decode=True):
                answer += text
        return answer

    with subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "agent_in_channels:application", "--port", "0"],
        cwd=EXAMPLES,
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            running = next(line for line in server.stderr if "Uvicorn running on" in line)
            asyncio.run(main(running.split("127.0.0.1:")[1].split()[0]))
        finally:
            server.terminate()
            assert server.stderr is not None
            assert "Traceback" not in server.stderr.read()
    fake, _ = model
    said = [[m["content"] for m in b["messages"] if m["role"] == "user"] for b in fake.bodies]
    assert said == [["one"], ["two"], ["one", "three"]]


def test_in_a_notebook(model: tuple[FakeModel, Served]) -> None:
    needs("nbclient", "ipykernel")
    ran = subprocess.run(
        [sys.executable, "-c", RUN_NOTEBOOK, "agent_in_jupyter.ipynb"],
        cwd=EXAMPLES,
        env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    chatted, refused, worked = json.loads(ran.stdout)
    assert chatted == "Answering: Double 21.\n"
    assert refused.startswith("agent.run() was called in a thread that runs an event loop")
    assert "await agent.arun(…)" in refused
    assert worked.splitlines()[0] == "True"
    assert worked.splitlines()[1].startswith("1 turns, 4 messages, 1 tool calls")


RUN_NOTEBOOK = """
import json, sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=50, kernel_name="python3").execute()
cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
print(json.dumps(["".join(o.get("text", "") for o in cell.outputs) for cell in cells]))
"""
