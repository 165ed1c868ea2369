"""A trial's process holds no keys and reaches no other machine."""

import subprocess
import sys
import textwrap

import pytest
from warpbench.mocks.errors import UnmockedRequestError
from warpbench.mocks.sandbox import DUMMY_KEY, hold_no_secrets, require_loopback, secrets_of

TIMEOUT_S = 60


def test_keys_proxies_and_endpoints_are_taken_out_and_dummies_put_in() -> None:
    environ = {
        "OPENAI_API_KEY": "sk-real",
        "ANTHROPIC_API_KEY": "real",
        "GITHUB_TOKEN": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "DB_PASSWORD": "real",
        "https_proxy": "http://proxy",
        "OPENAI_BASE_URL": "https://elsewhere",
        "ANTHROPIC_BASE_URL": "https://elsewhere",
        "PATH": "/bin",
    }

    hold_no_secrets(environ)

    dummies = {"OPENAI_API_KEY": DUMMY_KEY, "ANTHROPIC_API_KEY": DUMMY_KEY}
    assert environ == {**dummies, "PATH": "/bin"}


@pytest.mark.parametrize(
    "name",
    [
        *("AZURE_PAT", "PAT", "SENTRY_DSN", "REGISTRY_AUTH", "AUTH_2", "GPG_PASSPHRASE"),
        *("SLACK_WEBHOOK", "WEBHOOK_ADDRESS", "SMTP_PASS", "DB_PWD", "SESSION_COOKIE", "MY_JWT"),
        *("AZURE_STORAGE_CONNECTION_STRING", "SQLCONNSTR_MAIN", "api_key", "NPM_TOKEN"),
    ],
)
def test_a_name_tells_of_a_secret(name: str) -> None:
    environ = {name: "value-of-it"}

    assert secrets_of(environ) == ("value-of-it",)
    hold_no_secrets(environ)
    assert name not in environ


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "PYTHONPATH", "PWD", "OLDPWD", "AUTHOR", "GIT_AUTHOR_NAME", "XAUTHORITY"),
        *("PATTERN", "COMPASS", "PASSENGER_APP", "PATCH_LEVEL", "HOME", "LS_COLORS"),
    ],
)
def test_a_word_that_holds_such_a_name_tells_of_none(name: str) -> None:
    environ = {name: "value-of-it"}

    assert secrets_of(environ) == ()
    hold_no_secrets(environ)
    assert environ[name] == "value-of-it"


@pytest.mark.parametrize("name", ["SSH_AUTH_SOCK", "SECRETS_DIR", "KEY_FILE", "MAX_TOKENS"])
def test_a_place_or_a_number_is_not_shown_as_a_secret(name: str) -> None:
    assert secrets_of({name: "/run/secrets/of-it"}) == ()


@pytest.mark.parametrize(
    ("address", "without"),
    [
        ("postgres://app:long-password@db/app", "postgres://db/app"),
        ("redis://:long-password@cache:6379/0", "redis://cache:6379/0"),
        ("https://db.example.com/a@b", "https://db.example.com/a@b"),
    ],
)
def test_an_address_stays_in_the_environment_without_its_password(
    address: str, without: str
) -> None:
    environ = {"DATABASE_URL": address}

    assert ("long-password" in secrets_of(environ)) == (address != without)
    hold_no_secrets(environ)
    assert environ["DATABASE_URL"] == without


def test_secrets_are_what_artefacts_may_not_show() -> None:
    environ = {"A_KEY": "long-enough-1", "B_TOKEN": "longer-than-that", "C_KEY": "short", "D": "x"}

    assert secrets_of(environ) == ("longer-than-that", "long-enough-1")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "", None, b""])
def test_loopback_passes(host: object) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com", b"example.com", "0x"])
def test_any_other_host_is_refused_by_name(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    with pytest.raises(UnmockedRequestError, match=name):
        require_loopback(host)


ATTEMPTS = {
    "a socket": "socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a resolver": "socket.getaddrinfo('example.com', 80)",
    "an HTTP client": "http.client.HTTPConnection('192.0.2.1', timeout=1).request('GET', '/')",
    "asyncio": "asyncio.run(asyncio.open_connection('192.0.2.1', 80))",
    "asyncio by name": "asyncio.run(asyncio.open_connection('example.com', 80))",
    "uvloop": "on_uvloop(asyncio.open_connection('192.0.2.1', 80))",
    "uvloop by name": "on_uvloop(asyncio.open_connection('example.com', 80))",
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_nothing_leaves_the_machine(attempt: str) -> None:
    script = f"""
        import asyncio, http.client, socket
        from warpbench.bench.trial.loops import UVLOOP
        from warpbench.mocks.clock import WallClock
        from warpbench.mocks.sandbox import stay_on_this_machine

        def on_uvloop(coroutine):
            with asyncio.Runner(loop_factory=lambda: UVLOOP.create(WallClock())) as runner:
                runner.run(coroutine)

        stay_on_this_machine()
        {attempt}
    """

    finished = _run(script)

    assert finished.returncode == 1
    assert "UnmockedRequestError" in finished.stderr
    assert "192.0.2.1" in finished.stderr or "example.com" in finished.stderr


def test_loopback_is_still_reached() -> None:
    finished = _run(
        """
        import socket
        from warpbench.mocks.sandbox import stay_on_this_machine

        stay_on_this_machine()
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
        """
    )

    assert finished.returncode == 0, finished.stderr


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
