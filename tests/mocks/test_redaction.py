"""Every secret goes, in whatever text it stands; what only looks odd stays."""

import html
import json
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import pytest
from warpbench.mocks.redaction import redact, redacted
from warpbench.mocks.sandbox import secrets_of

from ..secret_corpus import (
    ADDRESS_PASSWORD,
    BY_NAME,
    BY_SIGHT,
    ENVIRONMENT,
    HARMLESS,
    SECRETS,
)

pytestmark = pytest.mark.once

KNOWN = secrets_of(ENVIRONMENT)
WRITTEN = {
    "alone": "{}",
    "in a sentence": "401 for {}, try again",
    "in quotes": "no such module '{}'",
    "behind an escape": "prompt was 'first line\\n{}'",
    "in colour": "\x1b[32m{}\x1b[0m",
    "percent-encoded in front": "a=b%3D{}",
    "in brackets": "({})",
}


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(set(SECRETS)) == 60
    assert len(set(HARMLESS)) >= 200


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize(("secret", "within"), BY_SIGHT, ids=lambda each: each[:12])
def test_a_secret_is_known_by_its_looks(secret: str, within: str, text: str) -> None:
    found = redact(text.format(within), ())

    assert secret not in found
    assert "[redacted]" in found


@pytest.mark.parametrize("name", BY_NAME)
def test_a_secret_is_known_by_its_name_however_it_is_written(name: str) -> None:
    secret = BY_NAME[name]
    texts = (secret, repr(secret), json.dumps(secret), html.escape(secret), quote(secret, safe=""))

    for text in texts:
        assert redact(f"<{text}>", KNOWN) in {"<[redacted]>", "<'[redacted]'>", '<"[redacted]">'}


def test_the_password_in_an_address_of_the_environment_is_known_everywhere() -> None:
    assert redact(f"no user with {ADDRESS_PASSWORD}", KNOWN) == "no user with [redacted]"


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:40])
def test_what_is_nobodys_secret_stays(text: str) -> None:
    assert redact(text, KNOWN) == text
    assert redact(json.dumps({"error": text}), KNOWN) == json.dumps({"error": text})


def test_redacting_twice_changes_nothing() -> None:
    once = [redact(within, KNOWN) for _, within in BY_SIGHT]

    assert [redact(text, KNOWN) for text in once] == once


@dataclass(frozen=True)
class Inner:
    text: str
    numbers: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    named: dict[str, object]


def test_values_are_redacted_however_deep_and_else_left_as_they_are() -> None:
    clean = Inner("nothing")
    value = Outer((clean, Inner("is hush-hush")), {"hush-hush": ["of hush-hush", 3]})

    found = redacted(value, ("hush-hush",))

    expected = {"[redacted]": ["of [redacted]", 3]}
    assert found == Outer((clean, Inner("is [redacted]")), expected)
    assert found.inner[0] is clean
    assert redacted(clean, ("hush-hush",)) is clean


class Named(NamedTuple):
    text: str
    number: int


def test_a_pair_that_begins_with_a_number_is_redacted_and_a_named_one_stays_one() -> None:
    secret, _ = BY_SIGHT[0]

    assert redacted((1, secret), ()) == (1, "[redacted]")
    assert redacted((1, [Inner(secret)]), ()) == (1, [Inner("[redacted]")])
    found = redacted([Named(secret, 2)], ())[0]
    assert found == Named("[redacted]", 2)
    assert isinstance(found, Named)
