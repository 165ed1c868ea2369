"""Strings of the formats that JSON Schema names, and of those that pydantic and zod add.

Source: JSON Schema 2020-12, Validation, section 7.3.
"""

import uuid
from collections.abc import Callable, Mapping
from random import Random

_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


def text_of_format(random: Random, form: str, min_length: int) -> str | None:
    """Return a string of a format; ``None`` if the format is not known.

    Args:
        random: Draws the string.
        form: Name of the format.
        min_length: The least number of characters, where the format can have more.
    """
    make = _FORMATS.get(form)
    if make is None:
        return None
    text = make(random)
    missing = min_length - len(text)
    return text if missing <= 0 or form not in _GROWING else text + "a" * missing


def _word(random: Random) -> str:
    return random.choice(_WORDS)


def _date(random: Random) -> str:
    return f"{random.randint(2020, 2029)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _time(random: Random) -> str:
    return f"{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}Z"


def _uuid(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _ipv4(random: Random) -> str:
    return f"192.0.2.{random.randint(1, 254)}"  # for documentation: RFC 5737


def _ipv6(random: Random) -> str:
    return f"2001:db8::{random.randint(1, 0xFFFF):x}"  # likewise: RFC 3849


def _url(random: Random) -> str:
    return f"https://example.com/{_word(random)}/{random.randint(1, 99)}"


def _email(random: Random) -> str:
    return f"{_word(random)}{random.randint(1, 99)}@example.com"


_GROWING = frozenset({"uri", "url", "iri", "uri-reference", "iri-reference", "binary", "password"})
_FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date-time": lambda random: f"{_date(random)}T{_time(random)}",
    "date": _date,
    "time": _time,
    "duration": lambda random: f"PT{random.randint(1, 59)}M",
    "email": _email,
    "idn-email": _email,
    "name-email": lambda random: f"{_word(random).title()} <{_email(random)}>",
    "hostname": lambda random: f"{_word(random)}.example.com",
    "idn-hostname": lambda random: f"{_word(random)}.example.com",
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ipvanyaddress": _ipv4,
    "ipv4network": lambda _: "192.0.2.0/24",
    "ipv6network": lambda _: "2001:db8::/32",
    "ipvanynetwork": lambda _: "192.0.2.0/24",
    "cidrv4": lambda _: "192.0.2.0/24",
    "cidrv6": lambda _: "2001:db8::/32",
    "uri": _url,
    "url": _url,
    "iri": _url,
    "multi-host-uri": lambda random: f"postgres://user@example.com:5432/{_word(random)}",
    "uri-reference": lambda random: f"/{_word(random)}",
    "iri-reference": lambda random: f"/{_word(random)}",
    "uri-template": lambda random: f"https://example.com/{_word(random)}/{{id}}",
    "uuid": _uuid,
    "uuid4": _uuid,
    "guid": _uuid,
    "json-pointer": lambda random: f"/{_word(random)}/0",
    "relative-json-pointer": lambda random: f"1/{_word(random)}",
    "regex": lambda random: f"^{_word(random)}$",
    "byte": lambda _: "YWxwaGE=",
    "base64": lambda _: "YWxwaGE=",
    "base64url": lambda _: "YWxwaGE",
    "binary": _word,
    "password": lambda random: f"{_word(random)}-{random.randint(1000, 9999)}",
    "json-string": lambda _: "{}",
    "color": lambda random: f"#{random.getrandbits(24):06x}",
    "file-path": lambda random: f"/tmp/{_word(random)}.txt",  # noqa: S108 - a name, not a file
    "directory-path": lambda random: f"/tmp/{_word(random)}",  # noqa: S108 - likewise
    "path": lambda random: f"/tmp/{_word(random)}",  # noqa: S108 - likewise
    "phone": lambda random: f"+1-555-01{random.randrange(100):02}",
}
