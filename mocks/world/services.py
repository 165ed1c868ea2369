"""HTTP services that tools call: any address that matches a pattern gets a scripted reply.

The latency and the fault of each request are drawn by its method, address and body, and by how
often that was requested before.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from ..scenario import ServiceSpec
from ..wire.reply import Reply, whole_reply
from .request_draws import RequestDraws

_PLAIN = MappingProxyType({"content-type": "text/plain"})


class Services:
    """The services of one trial; safe for threads.

    Args:
        specs: The declared services; of several that match, the first answers.
        stream: Seeds the draws.
        kept: As for ``RequestDraws``.
    """

    def __init__(self, specs: Sequence[ServiceSpec], stream: str, kept: int | None = None) -> None:
        self._patterns = [(spec, _pattern_of(spec.url)) for spec in specs]
        self._draws = RequestDraws(stream, kept)

    def forget(self) -> None:
        """Forget every request so far."""
        self._draws.forget()

    def reply(self, method: str, url: str, body: bytes) -> Reply | None:
        """Return the reply to a request, or ``None`` if no service has that address."""
        if not self._patterns:
            return None
        for spec, pattern in self._patterns:
            if spec.method in {None, method} and pattern.fullmatch(url):
                return self._reply(spec, f"{spec.name}/{method} {url} {body!r}")
        return None

    def answer_at(self, method: str, url: str) -> bool:
        """Return whether a service has that address."""
        return any(
            spec.method in {None, method} and pattern.fullmatch(url)
            for spec, pattern in self._patterns
        )

    def _reply(self, spec: ServiceSpec, asked: str) -> Reply:
        headers = {name.lower(): value for name, value in spec.headers.items()}
        body = spec.body.encode()
        return self._draws.reply(
            asked,
            spec.latency,
            spec.faults,
            lambda at_ns: whole_reply(spec.status, headers, body, at_ns),
            (_PLAIN, _error_body),
        )


def _error_body(_status: int, message: str) -> bytes:
    return message.encode()


def service_root(spec: ServiceSpec) -> str:
    """Return the start of a service's addresses: scheme and host."""
    parts = urlsplit(spec.url)
    return f"{parts.scheme}://{parts.netloc}"


def _pattern_of(url: str) -> re.Pattern[str]:
    # A pattern without a path stands for the root of the host.
    spelled = url if urlsplit(url).path else f"{url}/"
    return re.compile(".*".join(re.escape(part) for part in spelled.split("*")), re.DOTALL)
