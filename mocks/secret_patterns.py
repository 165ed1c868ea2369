"""What secrets look like: a table of patterns, each looked for only where its mark stands.

The prefixes are facts that the services publish, so that scanners may find what has leaked. They
were gathered from their documentation (GitHub's "supported secret scanning patterns", Stripe, AWS,
Slack, OpenAI, Anthropic, Hugging Face), and compared with the lists of detect-secrets (Apache 2.0)
and gitleaks (MIT); no expression is copied. Why none of those lists is used itself stands in
``docs/decisions.md``.

A text that bears no mark costs a few searches for substrings: no expression is compiled for it,
which ``--help`` has no time for.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

# In front of a token stands no other part of a word; but escapes and colours end in letters.
_START = r"(?:(?<![A-Za-z0-9+_])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\dm))"

_PREFIXED: tuple[tuple[tuple[str, ...], str], ...] = (
    # Models and what surrounds them.
    (("sk-", "pk-"), r"(?:sk|pk)-(?:ant|proj|svcacct|admin|or|lf)-[\w-]{8,}"),
    (("sk-", "pk-", "rk-"), r"(?:sk|pk|rk)-[\w-]{0,24}?[A-Za-z0-9]{12,}[\w-]*"),
    (("hf_",), r"hf_[A-Za-z0-9]{20,}"),
    (("api_org_",), r"api_org_[A-Za-z]{20,}"),
    (("gsk_",), r"gsk_[A-Za-z0-9]{20,}"),
    (("xai-",), r"xai-[A-Za-z0-9]{20,}"),
    (("csk-",), r"csk-[A-Za-z0-9]{20,}"),
    (("pplx-",), r"pplx-[A-Za-z0-9]{20,}"),
    (("nvapi-",), r"nvapi-[\w-]{20,}"),
    (("tvly-",), r"tvly-[\w-]{16,}"),
    (("r8_",), r"r8_[A-Za-z0-9]{30,}"),
    (("jina_",), r"jina_[A-Za-z0-9]{30,}"),
    (("pcsk_",), r"pcsk_[A-Za-z0-9_]{30,}"),
    (("lsv2_",), r"lsv2_(?:pt|sk)_[a-z0-9_]{20,}"),
    # Clouds.
    (("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    (("AIza",), r"AIza[\w-]{30,}"),
    (("ya29.",), r"ya29\.[\w-]{16,}"),
    (("GOCSPX-",), r"GOCSPX-[\w-]{16,}"),
    (("Q~",), r"[A-Za-z0-9_~.]{3}\dQ~[\w~.-]{31,34}"),
    (("LTAI",), r"LTAI[A-Za-z0-9]{20}(?![A-Za-z0-9])"),
    (("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{20,}"),
    (("dapi",), r"dapi[0-9a-f]{32}(?:-\d)?(?![A-Za-z0-9])"),
    (("hvs.", "hvb."), r"hv[sb]\.[\w-]{20,}"),
    (("dp.",), r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}"),
    ((".atlasv1.",), r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}"),
    (("sbp_",), r"sbp_[0-9a-f]{40}"),
    (("pul-",), r"pul-[0-9a-f]{40}"),
    (("AGE-SECRET-KEY-",), r"AGE-SECRET-KEY-1[A-Z0-9]{20,}"),
    # Code and packages.
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{16,}"),
    (("github_pat_",), r"github_pat_[A-Za-z0-9_]{20,}"),
    (("gl",), r"gl(?:pat|dt|ft|rt|soat|cbt|ptt|agent|imt|ffct)-[\w-]{16,}"),
    (("npm_",), r"npm_[A-Za-z0-9]{30,}"),
    (("pypi-AgE",), r"pypi-AgE[\w-]{20,}"),
    (("rubygems_",), r"rubygems_[0-9a-f]{40,}"),
    (("dckr_",), r"dckr_(?:pat|oat)_[\w-]{20,}"),
    (("CLOJARS_",), r"CLOJARS_[a-z0-9]{50,}"),
    # Services.
    (("xox",), r"xox[abeoprs]-[\w-]{8,}"),
    (("xapp-",), r"xapp-\d-[\w-]{8,}"),
    (("_live_", "_test_"), r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}"),
    (("whsec_",), r"whsec_[A-Za-z0-9+/=]{16,}"),
    (("SG.",), r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    (("SK",), r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    (("shp",), r"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}"),
    (("sq0",), r"sq0(?:atp|csp)-[\w-]{22,}"),
    ((":AA",), r"(?:bot)?\d{8,10}:AA[\w-]{32,}"),
    (("ATATT3",), r"ATATT3[\w=-]{20,}"),
    (("lin_api_",), r"lin_api_[A-Za-z0-9]{20,}"),
    (("figd_",), r"figd_[\w-]{20,}"),
    (("ntn_", "secret_"), r"(?:ntn|secret)_[A-Za-z0-9]{40,}"),
    (("NRAK-",), r"NRAK-[A-Z0-9]{20,}"),
    (("glsa_",), r"glsa_[\w-]{30,}"),
    (("PMAK-",), r"PMAK-[a-f0-9-]{30,}"),
    (("sntry",), r"sntry[su]_[\w+/=-]{20,}"),
    (("CFPAT-",), r"CFPAT-[\w-]{20,}"),
    # The kinds that no one service has made.
    (("eyJ",), r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"),
)
_NAMES = (
    r"(?:api[_-]?key|(?:access|account|private|secret|signing|encryption|subscription)[_-]?key"
    r"|access[_-]?key[_-]?id|secret|passw(?:or)?d|passphrase|pwd|token|auth(?:orization)?"
    r"|credentials?|cookie|webhook|dsn)"
)
_NAME_MARKS = (
    *("key", "secret", "passw", "passphrase", "pwd", "token", "auth", "credential", "cookie"),
    *("webhook", "dsn"),
)
_NO_PASSWORD = frozenset({"none", "null", "true", "false", "undefined", "required", "optional"})
_LEAST_OPAQUE = 8


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """One kind of secret.

    Attributes:
        marks: Texts, one of which stands wherever the kind does; searched for first.
        expression: What the kind looks like; its group ``secret``, or all of it, is the secret.
        is_secret: Looks at what was found once more.
        any_case: Whether case is left out of account; the marks are in lower case then.
    """

    marks: tuple[str, ...]
    expression: str
    is_secret: Callable[[str], bool] = bool
    any_case: bool = False

    def without(self, text: str, instead: str) -> str:
        """Return a text without the secrets of this kind."""

        def shortened(found: re.Match[str]) -> str:
            group = "secret" if "secret" in found.re.groupindex else 0
            if not self.is_secret(found[group]):
                return found[0]
            begin, end = (at - found.start() for at in found.span(group))
            return found[0][:begin] + instead + found[0][end:]

        return _compiled(self.expression, self.any_case).sub(shortened, text)


@cache
def _compiled(expression: str, any_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if any_case else 0))


def _is_user_and_password(encoded: str) -> bool:
    """Whether a text is what HTTP's Basic scheme sends, and not the next word of a sentence."""
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (ValueError, binascii.Error):
        return False


def _is_opaque(value: str) -> bool:
    """Whether a text is neither a word nor a number."""
    return (
        len(value) >= _LEAST_OPAQUE
        and any(each.isdigit() for each in value)
        and any(each.isalpha() for each in value)
        and not value.startswith(("0x", "/", "./", "http:", "https:"))
    )


def _is_bearer(token: str) -> bool:
    return _is_opaque(token) or len(token) >= 24  # noqa: PLR2004 - longer than a word


def _is_password(value: str) -> bool:
    return value.lower() not in _NO_PASSWORD


PATTERNS: tuple[SecretPattern, ...] = (
    SecretPattern(
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END[^-]*-----|\Z)",
    ),
    # A password may hold an @ of its own; a user without one is a token only if it is long.
    # A path has one slash where the address had two.
    SecretPattern(
        (":/",),
        r"[A-Za-z][\w+.-]+:/{1,2}(?P<secret>[^\s/@:'\"<>\\]*:[^\s/'\"<>\\]+|[\w.~%-]{16,}(?::[^\s/@]*)?)@",
    ),
    SecretPattern(
        ("hooks.slack.com/", "/api/webhooks/", "webhook.office.com/"),
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
        r"|webhook\.office\.com/webhookb2)/(?P<secret>[^\s'\"<>]+)",
    ),
    *(SecretPattern(marks, _START + expression) for marks, expression in _PREFIXED),
    SecretPattern(
        ("basic",), r"\bbasic(?:\s|%20)+(?P<secret>[\w+/-]{8,}={0,2})", _is_user_and_password, True
    ),
    SecretPattern(("bearer",), r"\bbearer(?:\s|%20)+(?P<secret>[\w.~+/-]{8,}=*)", _is_bearer, True),
    SecretPattern(
        ("=",),
        rf"(?:[?&]|&amp;)(?:[\w-]{{0,40}}{_NAMES}|key|sig|signature|x-(?:amz|goog)-(?:signature"
        r"|credential|security-token))=(?P<secret>[^\s&#'\"<>\\]{6,})",
        any_case=True,
    ),
    SecretPattern(
        ("password=", "passwd=", "pwd=", "passphrase=", "accountkey=", "sharedaccesskey="),
        r"(?:passw(?:or)?d|pwd|passphrase|accountkey|sharedaccesskey)="
        r"\\?[\"']?(?P<secret>[^\s'\"&,;<>()\[\]{}\\]{4,})",
        _is_password,
        any_case=True,
    ),
    SecretPattern(
        _NAME_MARKS,
        rf"(?:--[\w-]{{0,40}}{_NAMES}\s|{_NAMES}(?:\\?[\"'])?\s*(?:=>|[=:]))\s*(?:\\?[\"'])?"
        r"(?:(?:token|bearer|basic)\s+)?(?P<secret>[^\s\"'&,;<>()\[\]{}\\]{8,})",
        _is_opaque,
        any_case=True,
    ),
)
"""The kinds of secrets, in the order in which they are taken out."""


def patterns_for(text: str) -> list[SecretPattern]:
    """Return the kinds of secrets whose marks stand in a text."""
    # Two flat loops: most texts bear no mark, and a run may have as many as it has sessions.
    found = {at for mark, at in _MARKS if mark in text}
    lower = text.lower()
    found.update([at for mark, at in _LOWER_MARKS if mark in lower])
    return [PATTERNS[at] for at in sorted(found)]


_MARKS = tuple(
    (mark, at) for at, each in enumerate(PATTERNS) if not each.any_case for mark in each.marks
)
_LOWER_MARKS = tuple(
    (mark, at) for at, each in enumerate(PATTERNS) if each.any_case for mark in each.marks
)
