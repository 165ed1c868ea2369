"""HTTP services that tools call: any address that matches a pattern gets a scripted reply.

The latency and the fault of each request are drawn by its method, address and body, and by how
often that was requested before. So neither depends on the order in
which a strategy asks.
"""

import re
from collections import Counter
from collections.abc import Sequence
from random import Random
from threading import Lock
from types import MappingProxyType
from urllib.parse import urlsplit

from ..scenario import ServiceSpec
from ..scenario.bounds import latency_ns
from ..scenario.faults import draw_fault
from ..wire.broken_replies import failed
from ..wire.reply import Reply, whole_reply

_UNKNOWN = -1
_PLAIN = MappingProxyType({"content-type": "text/plain"})


class Services:
    """The services of one trial; safe for threads.

    Args:
        specs: The declared services; of several that match, the first answers.
        stream: Seeds the draws.
    """

    def __init__(self, specs: Sequence[ServiceSpec], stream: str) -> None:
        self._patterns = [(spec, _pattern_of(spec.url)) for spec in specs]
        self._stream = stream
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far."""
        self._asked: Counter[str] = Counter()

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
        with self._lock:
            self._asked[asked] += 1
            times = self._asked[asked]
        generator = Random(f"{self._stream}/{asked}/{times}")
        wait_ns = latency_ns(spec.latency.draw(generator))
        headers = {name.lower(): value for name, value in spec.headers.items()}
        reply = whole_reply(spec.status, headers, spec.body.encode(), wait_ns)
        if not spec.faults:
            return reply
        chance = Random(f"{self._stream}/{asked}/{times}/fault")
        fault = draw_fault(spec.faults, chance, _UNKNOWN, _UNKNOWN, times)
        return reply if fault is None else failed(reply, fault, _PLAIN, _error_body)


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
