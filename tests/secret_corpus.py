"""Sixty secrets and two hundred harmless texts; each is made here, and none is anybody's.

The secrets are put together of parts, so that no scanner takes this file for a leak.
"""

import base64
import hashlib
import string
import uuid
from random import Random

_DRAWN = Random(19)
_ALPHANUMERIC = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits
_HEX = "0123456789abcdef"


def _drawn(length: int, alphabet: str = _ALPHANUMERIC) -> str:
    # A digit, as any of that length has.
    return "".join(_DRAWN.choices(alphabet, k=length - 2)) + "a7"[:: _DRAWN.choice((1, -1))]


def _upper(length: int) -> str:
    return "".join(_DRAWN.choices(_UPPER, k=length))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_ANTHROPIC = "sk-" + "ant-api03-" + _drawn(93) + "AA"
_JWT = ".".join((_encoded('{"alg":"HS256"}'), _encoded('{"sub":"1234"}'), _drawn(43)))
BY_SIGHT: tuple[tuple[str, str], ...] = (
    # What must not be found, and the text that it stands in.
    *(
        (secret, secret)
        for secret in (
            "sk-" + _drawn(48),
            "sk-" + "proj-" + _drawn(60) + "_" + _drawn(60),
            "sk-" + "svcacct-" + _drawn(40),
            "sk-" + "or-v1-" + _drawn(64, _HEX),
            _ANTHROPIC,
            "pk-" + "lf-" + str(uuid.UUID(int=_DRAWN.getrandbits(128))),
            "hf" + "_" + _drawn(34),
            "gsk" + "_" + _drawn(52),
            "xai" + "-" + _drawn(80),
            "pplx" + "-" + _drawn(48),
            "nvapi" + "-" + _drawn(64),
            "lsv2" + "_pt_" + _drawn(32, _HEX) + "_" + _drawn(10, _HEX),
            "AIza" + _drawn(35),
            "AKIA" + _upper(16),
            "ASIA" + _upper(16),
            "ya29" + "." + _drawn(60),
            "GOCSPX" + "-" + _drawn(28),
            "ghp" + "_" + _drawn(36),
            "gho" + "_" + _drawn(36),
            "ghs" + "_" + _drawn(36),
            "github" + "_pat_" + _drawn(22) + "_" + _drawn(59),
            "glpat" + "-" + _drawn(20),
            "npm" + "_" + _drawn(36),
            "pypi" + "-AgEIcHlwaS5vcmc" + _drawn(80),
            "xoxb" + "-" + "123456789012-1234567890123-" + _drawn(24),
            "xapp" + "-1-" + _drawn(40),
            "sk" + "_live_" + _drawn(24),
            "rk" + "_test_" + _drawn(24),
            "whsec" + "_" + _drawn(32),
            "SG" + "." + _drawn(22) + "." + _drawn(43),
            "hvs" + "." + _drawn(90),
            "dop" + "_v1_" + _drawn(64, _HEX),
            "shpat" + "_" + _drawn(32, _HEX),
            "dapi" + _drawn(32, _HEX),
            _JWT,
        )
    ),
    *(
        (secret, text.format(secret))
        for text, secret in (
            ("Authorization: Basic {}", base64.b64encode(b"admin:hunter2hunter2").decode()),
            ("Authorization: Bearer {}", _drawn(40)),
            ("postgres://app:{}@db.example.com:5432/app", _drawn(16)),
            ("https://{}@git.example.com/x.git", _drawn(40)),
            ("https://models.example.com/v1?api_key={}&n=3", _drawn(20)),
            ("https://b.example.com/a?X-Amz-Signature={}", _drawn(64, _HEX)),
            ("https://hooks.slack.com/services/{}", "T" + _upper(8) + "/B" + _upper(8) + "/x9"),
            ("host=db user=app password={}", "correct-horse-battery"),
            ('{{"x-api-key": "{}"}}', _drawn(32)),
            ("AccountName=a;AccountKey={}", _drawn(86) + "=="),
        )
    ),
)
"""Secrets that anybody would know by their looks, and texts that they stand in."""

BY_NAME: dict[str, str] = {
    "MY_SERVICE_KEY": "opaque-" + _drawn(12),
    "BUILD_TOKEN": "opaque." + _drawn(12),
    "SHARED_SECRET": 'quo"ted\\' + _drawn(12),
    "ADMIN_PASSWORD": "<p&ss> " + _drawn(12),
    "DB_PASSWD": "tr0ub4dor and " + _drawn(6),
    "AZURE_CREDENTIAL": _drawn(18),
    "SENTRY_DSN": "sentry-" + _drawn(16),
    "AZURE_DEVOPS_PAT": _drawn(52, string.ascii_lowercase),
    "REGISTRY_AUTH": _drawn(24),
    "GPG_PASSPHRASE": "many words that nobody guesses",
    "DEPLOY_WEBHOOK": "deploy-" + _drawn(14),
    "SESSION_COOKIE": _drawn(30),
    "SMTP_PASS": "näïve-" + _drawn(10),
    "OLD_DB_PWD": _drawn(14),
    "STORAGE_CONNECTION_STRING": "storage " + _drawn(20),
}
"""Secrets that only their names in the environment tell."""

ADDRESS_PASSWORD = "plainwords" + "without"
"""A secret that nobody knows who has not seen the address that it stands in."""

ENVIRONMENT = {**BY_NAME, "DATABASE_URL": f"postgres://app:{ADDRESS_PASSWORD}@db.example.com/app"}
SECRETS: tuple[str, ...] = (
    *(secret for secret, _ in BY_SIGHT),
    *BY_NAME.values(),
)
"""All that must not be found."""


def _hashed(kind: str, number: int) -> str:
    return hashlib.new(kind, str(number).encode()).hexdigest()


HARMLESS: tuple[str, ...] = (
    *(_hashed("md5", number) for number in range(15)),
    *(_hashed("sha1", number) for number in range(20)),
    *(_hashed("sha256", number) for number in range(15)),
    *("sha256:" + _hashed("sha256", number) for number in range(10)),
    *(str(uuid.UUID(int=_DRAWN.getrandbits(128), version=4)) for _ in range(25)),
    *("call_" + _drawn(24) for _ in range(20)),
    *("toolu_01" + _drawn(22) for _ in range(15)),
    *("chatcmpl-" + _drawn(29) for _ in range(10)),
    *("resp_" + _drawn(48, _HEX) for _ in range(5)),
    *("msg_01" + _drawn(22) for _ in range(5)),
    *("req_" + _drawn(24) for _ in range(5)),
    *(
        "data:image/png;base64," + base64.b64encode(_DRAWN.randbytes(3000)).decode()
        for _ in range(15)
    ),
    *(base64.urlsafe_b64encode(_DRAWN.randbytes(600)).decode() for _ in range(5)),
    *(f"at commit {_hashed('sha1', number)[:length]}" for number, length in enumerate((7, 12, 40))),
    "test_a_session_that_fails_by_a_mistake_in_the_code_is_reported_with_its_place_2",
    "sk_learn_pipeline_with_many_steps_and_2_more",
    "pk_violation_handler_of_the_database_layer_v2",
    "sk-learn-pipeline",
    "hf_hub_download_with_retries_and_resume_7",
    "key_of_the_cell_that_is_measured_twice",
    "get_authorization_token_provider_for_tests_3",
    "ghp_pages_deployment",
    "Basic understanding of concurrency",
    "basic authentication is not supported",
    "Bearer authentication is required",
    "max_tokens=4096, prompt_tokens: 12345678",
    "TypeError: build() got an unexpected keyword argument 'api_key'",
    "KeyError: 'OPENAI_API_KEY' (my_agent.py:31)",
    "password: expected a text, found nothing",
    "api_key: expected a text, found nothing",
    "api_key=None, password=None, token=None",
    "Incorrect API key provided",
    "Unexpected token: end of the document",
    "git@github.com:owner/name.git",
    "ssh://git@github.com/owner/name.git",
    "https://example.com/search?q=tokens&page=12345678&key=value",
    "http://127.0.0.1:8000/v1/chat/completions",
    "https://example.com/@scope/package@1.2.3",
    "npm:@scope/package-with-a-name@10.20.30",
    "warpbench run tools --strategy gather,sync --concurrency 1,10 --clock virtual --seed 12345678",
    "tools/agent/gather/asyncio@10",
    "/home/user/projects/agent/.venv/lib/python3.12/site-packages/openai/_base_client.py:1024",
    "2026-11-29T03:27:18+00:00",
    "Rate limit reached for gpt-4o-mini-2024-07-18 in organization org-12345678abcd on tokens",
    "claude-3-5-sonnet-20241022",
    "<object at 0x7f3a2b1c4d5e> of my_agent.Token",
    "semaphore=asyncio.Semaphore(10), cancel_token=<CancelToken 1>",
    "AssertionError: 17 != 18",
    "ASIA",
    "eyJust a word.eyJ",
    "dp.pt",
    "SK12",
)
"""What looks odd, and is nobody's secret."""
