"""Keeps keys out of a trial's process: its environment, and whatever is written of it."""

import html
import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from urllib.parse import quote, unquote

from .environment import DEFAULTS, DROPPED, DUMMY_KEYS, DUMMY_KEYS_WHERE_ONE_IS_SET

_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|CREDENTIAL|WEBHOOK|CONN(?:ECTION)?_?STR"
    # Words that are parts of others (PATH, AUTHOR, PASSENGER) count only by themselves.
    r"|(?:^|_)(?:DSN|PAT|AUTH|OAUTH|PASS|JWT|BEARER|COOKIE)(?:_|\d|$)|[A-Z0-9]_PWD$",
    re.IGNORECASE,
)
_NO_SECRET_NAME = re.compile(
    r"MAX_|_(?:DIR|PATH|FILE|HOME|SOCK|METHOD|TYPE|MODE|LIMIT|COUNT|SIZE|PARALLELISM)$",
    re.IGNORECASE,
)
"""What such a name says of its value: a place, a number, a way; where a secret is, not which."""
_USER_INFO = re.compile(r"(?<=://)[^\s/?#]*(?=@)")
_SHORTEST_SECRET = 8
"""Shorter values would blot out common words."""
_PROXY_NAME = re.compile(r"^(HTTPS?|ALL|FTP)_PROXY$", re.IGNORECASE)


def hold_no_secrets(environ: MutableMapping[str, str]) -> None:
    """Remove real keys, proxies and endpoints from an environment; set those of ``environment``.

    An address (``DATABASE_URL``) stays, since a target may not start without it, but loses the
    user and the password in it.
    """
    replaced = [each for each in DUMMY_KEYS_WHERE_ONE_IS_SET if each.name in environ]
    for name, value in list(environ.items()):
        if _SECRET_NAME.search(name) or _PROXY_NAME.match(name) or name in DROPPED:
            del environ[name]
        elif "://" in value and _USER_INFO.search(value):
            environ[name] = _USER_INFO.sub("", value).replace("://@", "://")
    for key in (*DUMMY_KEYS, *replaced):
        environ[key.name] = key.value
    for default in DEFAULTS:
        environ.setdefault(default.name, default.value)


@contextmanager
def holding_no_secrets(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Hold no secrets in this scope, and restore the environment after it."""
    before = dict(environ)
    hold_no_secrets(environ)
    try:
        yield
    finally:
        environ.clear()
        environ.update(before)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secret values in ``environ``, which no output may show, the longest first.

    Each as it is, and as it stands in a ``repr``, in JSON, in a page, in an address and on one
    line, where that differs.
    """
    secrets: set[str] = set()
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and not _NO_SECRET_NAME.search(name):
            secrets.add(value)
        if "://" in value:
            for user_info in _USER_INFO.findall(value):
                secrets |= {user_info, user_info.partition(":")[2]}
    written = {text for secret in secrets for text in _as_written(secret)}
    return tuple(sorted(written, key=lambda secret: (-len(secret), secret)))


def _as_written(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST_SECRET:
        return
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    yield quote(secret, safe="")
    yield unquote(secret)
    yield " ".join(secret.split())
