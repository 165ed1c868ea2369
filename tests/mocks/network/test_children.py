"""What a program that is started finds in its environment, and what becomes of what it asks."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
import uvloop
from warpbench.mocks.environment import BASE_URLS
from warpbench.mocks.network.children import ChildRefusals, children_refused
from warpbench.mocks.network.refusing_server import Refused

ASKS = """\
import os, sys, urllib.error, urllib.request
request = urllib.request.Request(os.environ[sys.argv[1]] + sys.argv[2], data=b"{}")
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {error.read().decode()}")
"""
TELLS = "import json, os; print(json.dumps(dict(os.environ)))"
LOOPBACK = "http://127.0.0.1:8000/v1"


class Refusing:
    """A scope, and what was refused in it."""

    def __init__(self) -> None:
        self.told: list[Refused] = []
        self.children = ChildRefusals(lambda: None, "; ask another way")
        self.children.told = self.told.append

    @contextmanager
    def __call__(self) -> Iterator["Refusing"]:
        with closing(self.children), children_refused(self.children):
            yield self


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusing]:
    for each in BASE_URLS:
        monkeypatch.delenv(each.name, raising=False)
    with ExitStack() as scope:
        yield scope.enter_context(Refusing()())


def environment_seen(**options: Any) -> dict[str, str]:
    seen: dict[str, str] = json.loads(
        subprocess.run(
            [sys.executable, "-S", "-c", TELLS], capture_output=True, check=True, **options
        ).stdout
    )
    return seen


def proxies(environ: Mapping[str, str]) -> set[str]:
    names = ("HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy")
    return {environ.get(name, "none") for name in names}


def test_what_a_program_asks_a_model_is_refused_with_the_reason(refusing: Refusing) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASKS, "ANTHROPIC_BASE_URL", "/v1/messages"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == 1
    status, _, body = asked.stderr.partition(" ")
    assert status == "400"
    message = json.loads(body)["error"]["message"]
    assert message.startswith("api.anthropic.com/v1/messages ")
    assert message.endswith("; ask another way")
    assert refusing.told == [Refused("api.anthropic.com", "/v1/messages", was_named=True)]
    assert refusing.children.apis == ("api.anthropic.com",)


def test_what_it_asks_anybody_else_goes_to_the_proxy(refusing: Refusing) -> None:
    environ = {**os.environ, "URL": "http://prices.example"}
    asked = subprocess.run(
        [sys.executable, "-c", ASKS, "URL", "/list"], capture_output=True, env=environ, check=False
    )

    assert asked.stderr.startswith(b"400 ")
    assert refusing.told == [Refused("prices.example", "/list", was_named=False)]
    assert refusing.children.apis == ()


def test_the_environment_of_the_trial_stays_as_it_is(refusing: Refusing) -> None:
    before = dict(os.environ)
    seen = environment_seen()

    assert dict(os.environ) == before
    assert seen.items() >= (before.items() - {("NO_PROXY", before.get("NO_PROXY"))})
    assert proxies(seen) == {refusing.children.environment(None)["HTTP_PROXY"]}
    assert seen["NO_PROXY"] == seen["no_proxy"] == "localhost,127.0.0.1,::1"


def test_the_program_is_started_with_what_it_is_given(refusing: Refusing) -> None:
    given = {"A": "1", "HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": "*"}
    seen = environment_seen(env=given)

    assert seen["A"] == "1"
    assert seen.keys() >= given.keys()
    assert "PATH" not in seen
    assert proxies(seen) == {seen["http_proxy"]}
    assert seen["no_proxy"] != "*"


def test_what_is_on_loopback_stays(refusing: Refusing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", LOOPBACK)
    given = {
        "ANTHROPIC_BASE_URL": "http://localhost:9000",
        "CO_API_URL": "https://gateway.example/cohere",
    }
    child = refusing.children.environment(given)
    root = child["HTTP_PROXY"]

    assert child["ANTHROPIC_BASE_URL"] == "http://localhost:9000"
    assert child["OPENAI_BASE_URL"] == LOOPBACK  # the mocked world, served
    assert child["CO_API_URL"] == f"{root}/gateway.example/cohere"
    assert child["GROQ_BASE_URL"] == f"{root}/api.groq.com"


def test_an_environment_in_bytes_stays_one(refusing: Refusing) -> None:
    child = refusing.children.environment({b"A": b"\xff"})

    assert child[b"A"] == b"\xff"
    assert {type(each) for item in child.items() for each in item} == {bytes}


def test_popen_takes_the_environment_by_position_as_well(refusing: Refusing) -> None:
    command = [sys.executable, "-S", "-c", TELLS]
    between = (-1, None, None, subprocess.PIPE, None, None, True, False, None)
    with subprocess.Popen(command, *between, {"A": "1"}) as process:
        seen = json.loads(process.communicate()[0])

    assert seen["A"] == "1"
    assert proxies(seen) == {refusing.children.environment(None)["HTTP_PROXY"]}


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_event_loops_start_programs_with_it(refusing: Refusing, new_loop: Any) -> None:
    async def started() -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-c", TELLS), stdout=subprocess.PIPE
        )
        return (await process.communicate())[0]

    with asyncio.Runner(loop_factory=new_loop) as runner:
        seen = json.loads(runner.run(started()))

    assert proxies(seen) == {refusing.children.environment(None)["HTTP_PROXY"]}


def test_a_program_that_was_waited_for_runs_no_more(refusing: Refusing) -> None:
    assert not refusing.children.have_children
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])

    assert refusing.children.have_children
    process.wait()
    assert not refusing.children.have_children


def test_after_the_scope_programs_are_started_as_ever() -> None:
    original = subprocess.Popen.__init__
    with Refusing()():
        assert subprocess.Popen.__init__ is not original

    assert subprocess.Popen.__init__ is original
    assert environment_seen(env={"A": "1"})["A"] == "1"
