"""A trial's process holds no keys."""

import pytest
from warpbench.mocks.environment import (
    DEFAULTS,
    DUMMY_KEY,
    DUMMY_KEYS,
    DUMMY_KEYS_WHERE_ONE_IS_SET,
    Variable,
)
from warpbench.mocks.sandbox import hold_no_secrets, secrets_of

pytestmark = pytest.mark.once

ALWAYS_SET = {each.name: each.value for each in (*DUMMY_KEYS, *DEFAULTS)}


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
        "AWS_PROFILE": "production",
        "PATH": "/bin",
    }

    hold_no_secrets(environ)

    assert environ == {**ALWAYS_SET, "PATH": "/bin"}


@pytest.mark.parametrize(
    "provider",
    [
        *("OPENAI", "ANTHROPIC", "AZURE", "GROQ", "MISTRAL", "GEMINI", "GOOGLE", "OPENROUTER"),
        *("CO", "COHERE", "TOGETHER", "FIREWORKS", "DEEPSEEK", "XAI", "PERPLEXITY"),
    ],
)
def test_the_sdk_of_each_provider_finds_a_key(provider: str) -> None:
    environ: dict[str, str] = {}

    hold_no_secrets(environ)

    assert environ[f"{provider}_API_KEY"] == DUMMY_KEY


def test_botocore_finds_all_that_it_signs_with_and_a_region() -> None:
    environ: dict[str, str] = {}

    hold_no_secrets(environ)

    assert environ["AWS_ACCESS_KEY_ID"] == environ["AWS_SECRET_ACCESS_KEY"] == DUMMY_KEY
    assert environ["AWS_DEFAULT_REGION"] == "us-east-1"


@pytest.mark.parametrize("key", [*DUMMY_KEYS, *DUMMY_KEYS_WHERE_ONE_IS_SET])
def test_a_real_key_is_replaced_and_no_artefact_may_show_it(key: Variable) -> None:
    environ = {key.name: "the-real-one"}

    assert secrets_of(environ) == ("the-real-one",)
    hold_no_secrets(environ)
    assert environ[key.name] == DUMMY_KEY
    assert "the-real-one" not in environ.values()


def test_what_is_no_secret_stays_as_the_user_set_it() -> None:
    environ = {each.name: "the-users" for each in DEFAULTS}

    hold_no_secrets(environ)

    assert {environ[each.name] for each in DEFAULTS} == {"the-users"}


def test_openais_module_client_is_not_ambiguous() -> None:
    environ: dict[str, str] = {}

    hold_no_secrets(environ)

    assert not environ.keys() & {"AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"}


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
