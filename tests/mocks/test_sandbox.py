"""A trial's process holds no keys."""

import pytest
from warpbench.mocks.sandbox import DUMMY_KEY, hold_no_secrets, secrets_of


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
