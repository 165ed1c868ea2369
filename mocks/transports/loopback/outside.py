"""What a program outside the trial is given, so that the trial's server answers whatever it asks.

A service as it is deployed is any program. It finds the model by the variables that name its
address, and everything else through a proxy, which is the same server: it opens what is meant for
another host, answers what is mocked, and refuses the rest. Nothing of it leaves this machine, as
far as the program reads these variables; ``--network isolated`` holds back the others.
"""

from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

from ...environment import BASE_URLS
from ...errors import UsageError
from .app import AUTHORITY, CONTROL_PATH, UNDER_WAY

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NO_PROXY = "localhost,127.0.0.1,::1"
_TRUSTED = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where OpenSSL and httpx, requests, curl and Node.js read whom to trust."""

_NODE_READS_PROXIES = "NODE_USE_ENV_PROXY"
_ASKS_WITHIN_S = 30.0
_FOUND = 200


def authority_pem(root: str) -> str:
    """Return the certificate of a server's authority, which makes one for that.

    Args:
        root: Scheme, host and port of the server.

    Raises:
        UsageError: The package that makes certificates is not installed.
    """
    status, text = _asked(root, AUTHORITY)
    if status != _FOUND:
        raise UsageError(text)
    return text


def requests_under_way(root: str) -> int:
    """Return how many requests a server is answering."""
    return int(_asked(root, UNDER_WAY)[1])


def _asked(root: str, what: str) -> tuple[int, str]:
    address = urlsplit(root)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=_ASKS_WITHIN_S)
    try:
        connection.request("GET", CONTROL_PATH + what)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def environment_outside(own: Mapping[str, str], root: str, trusted_file: str) -> dict[str, str]:
    """Return the environment of a program.

    Args:
        own: That of the trial, which holds no secrets.
        root: Scheme, host and port of the server.
        trusted_file: Holds the certificate of its authority.
    """
    given = dict(own)
    for each in BASE_URLS:
        # The path by which each API is reached there is that of its own host.
        given[each.name] = root + urlsplit(each.usual).path
    for name in _PROXIES:
        # curl reads small letters, others what they find first.
        given[name] = given[name.lower()] = root
    given["NO_PROXY"] = given["no_proxy"] = _NO_PROXY
    for name in _TRUSTED:
        given[name] = trusted_file
    given.pop("SSL_CERT_DIR", None)
    given[_NODE_READS_PROXIES] = "1"
    return given
