"""Keeps keys out of artefacts: errors and command lines are text from outside."""

import re
from collections.abc import Iterable

_KEY_LIKE = re.compile(r"\b(sk|pk|rk|ghp|gho|xox[abp])[-_][A-Za-z0-9_\-]{8,}|\bBearer\s+\S{8,}")
REDACTED = "[redacted]"


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without the given secrets, and without anything that looks like a key."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return _KEY_LIKE.sub(REDACTED, text)
