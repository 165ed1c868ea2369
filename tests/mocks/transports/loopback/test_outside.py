"""A program outside the trial finds the mocked world behind any address, over TLS as well."""

import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from warpbench.mocks.environment import BASE_URLS
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.transports.loopback.outside import authority_pem, environment_outside
from warpbench.mocks.transports.loopback.process import ServerProcess
from warpbench.mocks.workload.script import draw
from warpbench.mocks.world.world import WorldSpec

pytest.importorskip("cryptography")
pytestmark = pytest.mark.once

SCENARIO = parse_scenario("""
name = "outside"
description = "A model and a database."
sessions = 2
[model]
latency_s = 0.001
completion_tokens = 4
[[rounds]]
[[services]]
name = "database"
url = "https://database.example.com/*"
latency_s = 0.001
json = { rows = 3 }
[[services]]
name = "search"
url = "http://search.example.com:8080/*"
latency_s = 0.001
json = { found = 1 }
""")
# urllib reads the proxies of the environment, and OpenSSL whom to trust.
ASKS = """
import json, sys, urllib.request, urllib.error
for url in sys.argv[1:]:
    data = b'{"model": "m", "messages": [{"role": "user", "content": "hello"}]}'
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            print(answer.status, sorted(json.load(answer))[0])
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["error"]["message"].split(" is not ")[0])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    script = draw(SCENARIO, 1, 2)
    sessions = {each.session: each for each in script.sessions}
    with ServerProcess(WorldSpec(sessions, SCENARIO.limits, SCENARIO.services, "x")) as server:
        yield server


def ask(server: ServerProcess, folder: Path, *urls: str) -> list[str]:
    trusted = folder / "authority.pem"
    trusted.write_text(authority_pem(server.root))
    environ = environment_outside({}, server.root, str(trusted))
    command = [sys.executable, "-S", "-c", ASKS, *urls]
    return subprocess.check_output(command, env=environ, text=True, timeout=60).splitlines()


def test_what_is_mocked_is_answered_and_the_rest_refused_and_told(
    server: ServerProcess, tmp_path: Path
) -> None:
    server.forget()

    found = ask(
        server,
        tmp_path,
        "https://database.example.com/rows?id=1",
        "http://search.example.com:8080/q",
        "https://api.openai.com/v1/chat/completions",
        "https://elsewhere.example.com/secret?key=1",
        "http://elsewhere.example.com:81/plain",
        f"{server.root}/v1/chat/completions",
    )

    assert found == [
        "200 rows",
        "200 found",
        "200 choices",
        "404 warpbench: POST https://elsewhere.example.com/secret",
        "404 warpbench: POST http://elsewhere.example.com:81/plain",
        "200 choices",
    ]
    seen = server.seen()
    assert seen["llm_calls"] == 2
    refused = [(each["host"], each["path"]) for each in seen["refusals"]]
    assert refused == [("elsewhere.example.com", "/secret"), ("elsewhere.example.com:81", "/plain")]


def test_its_authority_is_its_own_and_stays_the_same(server: ServerProcess) -> None:
    first = authority_pem(server.root)

    assert authority_pem(server.root) == first
    names = [value for part in _subject(first) for _, value in part]
    assert names == ["warpbench: a trial's own authority"]


def _subject(pem: str) -> list[list[tuple[str, str]]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    (found,) = context.get_ca_certs()
    return [list(part) for part in found["subject"]]  # type: ignore[misc,union-attr]


def test_who_does_not_trust_it_gets_nothing(server: ServerProcess) -> None:
    authority_pem(server.root)
    handler = urllib.request.ProxyHandler({"https": server.root})
    context = ssl.create_default_context()
    opener = urllib.request.build_opener(handler, urllib.request.HTTPSHandler(context=context))

    with pytest.raises(OSError, match="certificate verify failed"):
        opener.open("https://database.example.com/", timeout=30)


def test_what_a_program_is_given_names_the_server_alone() -> None:
    given = environment_outside(
        {"PATH": "/bin", "SSL_CERT_DIR": "/etc", "https_proxy": "http://proxy.example.com"},
        "http://127.0.0.1:9",
        "/tmp/pem",
    )

    assert given["PATH"] == "/bin"
    assert "SSL_CERT_DIR" not in given
    assert {given[name] for name in ("https_proxy", "HTTP_PROXY", "ALL_PROXY")} == {
        "http://127.0.0.1:9"
    }
    assert given["OPENAI_BASE_URL"] == given["OPENAI_API_BASE"] == "http://127.0.0.1:9/v1"
    assert all(given[each.name].startswith("http://127.0.0.1:9") for each in BASE_URLS)
    assert given["SSL_CERT_FILE"] == given["REQUESTS_CA_BUNDLE"] == "/tmp/pem"
