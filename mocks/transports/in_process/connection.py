"""The mocked world's end of a connection that speaks HTTP/1.1, without any input or output.

Clients that read a socket, or a transport of asyncio's, keep all that is theirs: their pools, their
time-outs, their errors. They only need somebody at the other end of the connection. That is this:
the bytes of a request go in, and the bytes of the reply come out step by step, each with the time
at which it is due. They are the bytes that the server of the transport ``loopback`` sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import httptools

from ...errors import UnmockedRequestError
from ...wire.reply import Ending
from ...world.world import World
from .play import NEVER_NS, Play

Scheme = Literal["http", "https"]

_PORTS: dict[Scheme, int] = {"http": 80, "https": 443}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(slots=True)
class OpenWorld:
    """A world that clients reach for as long as its scope lasts.

    Attributes:
        world: What answers.
        is_over: Whether the scope has ended: connections that a pool has kept are closed then.
    """

    world: World
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads to.

    Attributes:
        scheme: The scheme of its addresses.
        host: The host, as a client names it.
        port: Its port.
    """

    scheme: Scheme
    host: str
    port: int

    def url_of(self, target: str) -> str:
        """Return the whole address of a request; ``target`` is one already if a proxy is asked."""
        if not target.startswith("/"):
            return target
        host = self.host.lower()
        shown = f"[{host}]" if ":" in host else host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{shown}{port}{target}"


class Step(NamedTuple):
    """What a connection brings next.

    Attributes:
        due_ns: When, on the clock.
        data: The bytes.
        ending: How the reply ends here; ``None`` if more of it follows.
        pieces: Pieces of a streamed answer that the bytes carry.
    """

    due_ns: int
    data: bytes
    ending: Ending | None
    pieces: int = 0


class RefusedRequest(Exception):  # noqa: N818 - no error of a client's: each makes its own of it
    """A request that nothing mocks.

    Attributes:
        url: Its address.
        error: The lab's error.
    """

    def __init__(self, url: str, error: UnmockedRequestError) -> None:
        super().__init__(str(error))
        self.url = url
        self.error = error


class Connection:
    """The world's end of one connection; requests on it are answered one after another.

    Attributes:
        place: The place in the user's code that asks, for a client that sends in a task of its own.

    Args:
        world: What answers.
        origin: Where the connection leads to.
    """

    def __init__(self, world: World, origin: Origin) -> None:
        self._world = world
        self._origin = origin
        self.place: str | None = None
        self._target = b""
        self._body: list[bytes] = []
        self._is_complete = self._waits_for_interim = False
        self._keeps_alive = True
        self._parser = httptools.HttpRequestParser(self)

    def receive(self, data: bytes) -> "Sending | None":
        """Take bytes that the client sends.

        Returns:
            The reply, if the request is complete.

        Raises:
            RefusedRequest: Nothing mocks the request.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # Another protocol is offered, which nobody has to take up.
        except httptools.HttpParserError as error:
            raise self._refused(
                UnmockedRequestError(f"what was sent is no request of HTTP/1.1 ({error})")
            ) from error
        if not self._is_complete:
            return None
        self._is_complete = False
        try:
            return Sending(
                self._world,
                self._asked(),
                b"".join(self._body),
                keeps_alive=self._keeps_alive,
                place=self.place,
            )
        except UnmockedRequestError as error:
            raise self._refused(error) from error

    @property
    def interim(self) -> bytes:
        """What is sent before the request's body, if its client waits for that; it is sent once."""
        waits, self._waits_for_interim = self._waits_for_interim, False
        return _CONTINUE if waits else b""

    def _method(self) -> str:
        return self._parser.get_method().decode("ascii")

    def _url(self) -> str:
        return self._origin.url_of(self._target.decode("ascii", errors="replace") or "/")

    def _asked(self) -> tuple[str, str, str]:
        url = self._url()
        return self._method(), urlsplit(url).path, url

    def _refused(self, error: UnmockedRequestError) -> RefusedRequest:
        return RefusedRequest(self._url(), error)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._target = b""
        self._body.clear()
        self._is_complete = self._waits_for_interim = False

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self._waits_for_interim = True

    def on_headers_complete(self) -> None:
        """Note whether the connection is to stay open: later the parser no longer knows."""
        self._keeps_alive = self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Note that it is complete."""
        self._is_complete = True


class Sending(Play):
    """One reply on its way over a connection.

    Whoever reads the connection asks for ``next``, waits until that is due, and says that he has
    ``taken`` it.

    Attributes:
        next: What comes next; ``None`` once all has come.
        keeps_alive: Whether the connection stays open after it.

    Args:
        world: What answers.
        asked: HTTP method in capitals, path, and the whole address.
        body: Body of the request.
        keeps_alive: Whether the connection stays open after it.
        place: The place in the user's code that asks; ``None`` for the one that is calling.

    Raises:
        UnmockedRequestError: Nothing mocks the request.
    """

    __slots__ = ("_call", "_is_over", "_steps", "keeps_alive", "next")

    def __init__(
        self,
        world: World,
        asked: tuple[str, str, str],
        body: bytes,
        *,
        keeps_alive: bool,
        place: str | None,
    ) -> None:
        method, path, url = asked
        self.exchange = world.exchange(method, path, url, body)
        self.clock = world.clock
        self.traffic = world.traffic
        self.has_body = method != "HEAD" and self.exchange.reply.status not in _WITHOUT_BODY
        self.keeps_alive = keeps_alive
        self._steps = self._all_steps()
        self.next: Step | None = next(self._steps)
        self._is_over = False
        self._call = self.call().__enter__()
        self.begins(self._call, place)

    def waits_until(self, due_ns: int) -> None:
        """Report that the client waits for the next step, or until it gives up."""
        self._call.waits_until(due_ns)

    def taken(self, step: Step) -> None:
        """Report that the client has waited for a step, and goes on to the next."""
        call = self._call
        call.taken_up()
        if step.pieces:
            call.takes_pieces(step.pieces, self.clock.now_ns())
        if step.ending is Ending.COMPLETE:
            self.ends(call, step.due_ns)
        elif step.ending is not None:
            call.reply_ends(step.due_ns, is_accepted=False)
        self.next = next(self._steps, None)
        if self.next is None:
            self.leave()

    def times_out(self, at_ns: int) -> None:
        """Report that the client has waited as long as it would; it may yet read on."""
        self._call.taken_up()
        self._call.reply_ends(at_ns, is_accepted=False)

    def leave(self) -> None:
        """End the call here; where more was to come, its client has closed the connection."""
        if not self._is_over:
            self._is_over = True
            self._call.__exit__(None, None, None)

    def _all_steps(self) -> Iterator[Step]:
        reply, arrived_ns = self.exchange.reply, self.exchange.arrived_ns
        is_complete = reply.ending is Ending.COMPLETE
        if reply.is_whole:
            body = reply.body if self.has_body else b""
            data = self._head(b"content-length: %d" % len(reply.body)) + body
            yield Step(arrived_ns + reply.head_ns, data, Ending.COMPLETE, reply.parts[0].pieces)
            return
        if reply.parts:
            data, due_ns = self._head(b"transfer-encoding: chunked"), reply.head_ns
            pieces = 0
            for part in reply.parts:
                if part.at_ns != due_ns:
                    yield Step(arrived_ns + due_ns, data, None, pieces)
                    data, due_ns, pieces = b"", part.at_ns, 0
                data += self._chunk(part.data)
                pieces += part.pieces
            if is_complete:
                data += _LAST_CHUNK if self.has_body else b""
            ending = Ending.COMPLETE if is_complete else None
            yield Step(arrived_ns + due_ns, data, ending, pieces)
        if not is_complete:
            is_silent = reply.ending is Ending.SILENT
            yield Step(NEVER_NS if is_silent else arrived_ns + reply.end_ns, b"", reply.ending)

    def _head(self, framing: bytes) -> bytes:
        reply = self.exchange.reply
        headers = [b"%s: %s" % (n.encode(), v.encode()) for n, v in reply.headers.items()]
        ends = [] if self.keeps_alive else [b"connection: close"]
        return b"\r\n".join((_status_line(reply.status), *headers, framing, *ends, b"", b""))

    def _chunk(self, data: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(data), data) if self.has_body and data else b""


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return b"HTTP/1.1 %d %s" % (status, phrase.encode())
