"""Sizes up requests: those to the model by part, and how many ask for a stream; and to services.

What depends on nothing but a session's number is left out, so that session 10 asks as much as
session 9: the number in the prompt's marker, in identifiers that answers bear (``call_9_0_1``)
and in tickets of tools (``9.0.1``). So are provenance marks, which are the mock's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

import msgspec

from ..workload.marks import without_marks

# With the character before it, which makes the search several times faster than a look behind.
_SESSION_NUMBER = re.compile(rb'[_" ]-?\d+(?=\]|_\d|\.\d+\.\d)')


class _Function(msgspec.Struct):
    name: str | None = None


class _Member(msgspec.Struct):
    """A message, an item or a tool, in any API."""

    role: str | None = None
    name: str | None = None
    function: _Function | None = None
    type: str | None = None


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_members = msgspec.json.Decoder(list[msgspec.Raw]).decode
_member = msgspec.json.Decoder(_Member).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """The requests to the model and to services, summed up.

    Attributes:
        body_bytes: Bytes of the bodies of those to the model, without session numbers.
        part_bytes: Those of each part: ``messages.system``, ``tools.search``, ``model``.
        streamed: Requests to the model that ask for a streamed answer.
        service_bytes: Bytes of the bodies of those to each service, by its host, likewise.
    """

    body_bytes: int = 0
    part_bytes: Mapping[str, int] = field(default_factory=dict)
    streamed: int = 0
    service_bytes: Mapping[str, int] = field(default_factory=dict)


class RequestMeter:
    """Sums up requests; safe for threads.

    Nothing here calls a function of Python's that is not the lab's own: the gate would count it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far."""
        self._body_bytes = self._streamed = 0
        self._part_bytes: dict[str, int] = {}
        self._service_bytes: dict[str, int] = {}

    def note(self, body: bytes, *, is_streamed: bool) -> None:
        """Note a request to the model by its body."""
        body = without_marks(body)
        parts = tuple(_parts(body))
        with self._lock:
            self._body_bytes += len(body) - sum(numbers for _, _, numbers in parts)
            self._streamed += is_streamed
            for name, part_size, _ in parts:
                self._part_bytes[name] = self._part_bytes.get(name, 0) + part_size

    def note_service(self, host: str, body: bytes) -> None:
        """Note a request to a service by its body."""
        size, _ = _sizes(without_marks(body))
        with self._lock:
            self._service_bytes[host] = self._service_bytes.get(host, 0) + size

    def requests(self) -> Requests:
        """Return the sums."""
        with self._lock:
            return Requests(
                body_bytes=self._body_bytes,
                part_bytes=dict(sorted(self._part_bytes.items())),
                streamed=self._streamed,
                service_bytes=dict(sorted(self._service_bytes.items())),
            )


def _parts(body: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield each part, or each member where a field is a list: name, size, size left out."""
    try:
        fields = _fields(body)
    except (ValueError, RecursionError):  # no request: the model refuses it
        return
    for name, value in fields.items():
        try:
            members = [(_name_of(_member(each)), each) for each in _members(value)]
        except ValueError:  # not a list, or not one of objects
            yield name, *_sizes(bytes(value))
            continue
        for member, each in members:
            yield f"{name}.{member}", *_sizes(bytes(each))


def _sizes(text: bytes) -> tuple[int, int]:
    size = len(_SESSION_NUMBER.sub(b" ", without_marks(text)))
    return size, len(text) - size


def _name_of(member: _Member) -> str:
    function = None if member.function is None else member.function.name
    return member.role or member.name or function or member.type or "other"
