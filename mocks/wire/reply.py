"""A reply: what a mocked server sends for one request, when, and how it ends.

Every transport sends the same value: the respx router on the trial's clock, the loopback server
over a socket. Times count from the arrival of the request.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum, auto
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from ..scenario.faults import FaultKind

_END_OF_EVENT = b"\n\n"


class Ending(StrEnum):
    """How a reply ends."""

    COMPLETE = auto()
    """The reply is complete."""

    RESET = auto()
    """The connection is reset."""

    CLOSED = auto()
    """The connection is closed before the reply is complete, or before there is any of it."""

    SILENT = auto()
    """Nothing more is sent, and the connection stays open."""


class Part(msgspec.Struct, frozen=True):
    """Bytes of the body, and when they are sent.

    Attributes:
        at_ns: When they are sent.
        data: The bytes.
        pieces: Pieces of a model's answer that they carry, each of one token or a few. What opens
            and ends a stream, and whatever is no stream, carries none.
    """

    at_ns: int
    data: bytes
    pieces: int = 0


class Reply(msgspec.Struct, frozen=True):
    """The reply to one request.

    Attributes:
        status: HTTP status.
        headers: Headers, in lower case, without the content length.
        parts: The body. Without a part nothing is sent, neither status nor headers.
        end_ns: When the reply ends.
        ending: How the reply ends.
        early_head_ns: When status and headers are sent, if that is before the first part.
        fault: The kind of the scripted fault that it meets, if any.
        pieces: Pieces of the whole answer, if it is streamed, however many of them are sent.
        prompt_tokens: Tokens of the prompt, as the model reports them; 0 if it did not read it.
        completion_tokens: Tokens of the whole answer, as the model reports them.
    """

    status: int
    headers: Mapping[str, str]
    parts: tuple[Part, ...]
    end_ns: int
    ending: Ending = Ending.COMPLETE
    early_head_ns: int | None = None
    fault: FaultKind | None = None
    pieces: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def head_ns(self) -> int:
        """When status and headers are sent; when the reply ends, if they are not sent."""
        if self.early_head_ns is not None and self.parts:
            return self.early_head_ns
        return self.parts[0].at_ns if self.parts else self.end_ns

    @property
    def is_whole(self) -> bool:
        """Whether the reply is sent at one time, and complete."""
        return (
            len(self.parts) == 1
            and (self.early_head_ns is None or self.early_head_ns == self.parts[0].at_ns)
            and self.ending is Ending.COMPLETE
        )

    @property
    def is_stream(self) -> bool:
        """Whether the reply is a stream of events, even one that is sent at one time."""
        return self.early_head_ns is not None

    @property
    def body(self) -> bytes:
        """The body, as far as it is sent."""
        return self.parts[0].data if len(self.parts) == 1 else b"".join(p.data for p in self.parts)


def whole_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    at_ns: int,
    *,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
) -> Reply:
    """Return a reply that is sent at one time."""
    return Reply(
        status,
        headers,
        (Part(at_ns, body),),
        at_ns,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def streamed_reply(
    headers: Mapping[str, str],
    parts: Iterable[Part],
    *,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
) -> Reply:
    """Return a reply whose body is sent in parts; parts of the same time are joined.

    Status and headers are sent immediately, before any of the body is there: so do vLLM and
    whatever else streams through Starlette.
    """
    joined: list[Part] = []
    data: list[bytes] = []
    pieces = all_pieces = 0
    at_ns: int | None = None
    for part in parts:
        if part.at_ns != at_ns and at_ns is not None:
            joined.append(Part(at_ns, b"".join(data), pieces))
            data, pieces = [], 0
        at_ns = part.at_ns
        data.append(part.data)
        pieces += part.pieces
        all_pieces += part.pieces
    if at_ns is not None:
        joined.append(Part(at_ns, b"".join(data), pieces))
    return Reply(
        200,
        headers,
        tuple(joined),
        at_ns or 0,
        early_head_ns=0,
        pieces=all_pieces,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def no_reply(ending: Ending, at_ns: int) -> Reply:
    """Return a reply of which nothing is sent."""
    return Reply(0, {}, (), at_ns, ending)


def later(reply: Reply, by_ns: int) -> Reply:
    """Return a reply that is sent ``by_ns`` later."""
    if by_ns == 0:
        return reply
    parts = tuple(Part(part.at_ns + by_ns, part.data, part.pieces) for part in reply.parts)
    head_ns = None if reply.early_head_ns is None else reply.early_head_ns + by_ns
    return replace(reply, parts=parts, end_ns=reply.end_ns + by_ns, early_head_ns=head_ns)


def broken_off(reply: Reply, share: float, ending: Ending) -> Reply:
    """Return a reply that breaks off after about ``share`` of its body.

    A stream keeps whole parts, at least one; if it is sent at one time, whole events. Any other
    body is cut.
    """
    if len(reply.parts) > 1:
        count = max(1, min(len(reply.parts) - 1, round(len(reply.parts) * share)))
        kept = reply.parts[:count]
    else:
        whole = reply.parts[0]
        size = max(1, round(len(whole.data) * share))
        if reply.is_stream:
            end = whole.data.rfind(_END_OF_EVENT, 0, size)
            end = whole.data.find(_END_OF_EVENT) if end < 0 else end
            size = end + len(_END_OF_EVENT)
        kept = (
            Part(whole.at_ns, whole.data[:size], whole.pieces * size // max(1, len(whole.data))),
        )
    return replace(reply, parts=kept, end_ns=kept[-1].at_ns, ending=ending)


def dripping(reply: Reply, longer_ns: int, pieces: int) -> Reply:
    """Return a reply whose body is complete ``longer_ns`` later than it would be.

    A stream is stretched; a body that comes at one time is cut into ``pieces``.
    """
    parts = reply.parts
    if len(parts) == 1:
        data = parts[0].data
        size = max(1, -(-len(data) // pieces))
        cut = [data[start : start + size] for start in range(0, len(data), size)] or [data]
        shares = [parts[0].pieces * number // len(cut) for number in range(len(cut) + 1)]
        parts = tuple(
            Part(parts[0].at_ns, piece, after - before)
            for piece, (before, after) in zip(cut, pairwise(shares), strict=True)
        )
    last = max(1, len(parts) - 1)
    stretched = tuple(
        Part(part.at_ns + longer_ns * index // last, part.data, part.pieces)
        for index, part in enumerate(parts)
    )
    return replace(reply, parts=stretched, end_ns=reply.end_ns + longer_ns)
