"""Refuses, on loopback, what the programs that a trial starts ask of other machines.

It is a server for HTTP and a proxy in one: whatever it is asked, it answers at once that this was
not done, and why. It runs in a thread of the trial, which takes no time until somebody asks.
"""

import _thread
import json
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# As they are outside the scope of a clock.
_start_new_thread = _thread.start_new_thread
_allocate_lock = _thread.allocate_lock

_HEAD_ENDS = b"\r\n\r\n"
_LONGEST_HEAD = 1 << 16
_AT_ONCE = 1 << 16
_REFUSED = "400 Bad Request"
"""No SDK asks again after it, or takes it for a wrong key, as it does 401 and 403."""
_TUNNEL_REFUSED = "403 Forbidden"
"""What proxies say that do not allow a host."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused.

    Attributes:
        host: The host that it was for, without a port.
        path: Its path there, without its query; empty if only the host is known.
        was_named: Whether it came by an address of this server with the host in it: a base URL.
    """

    host: str
    path: str
    was_named: bool


@dataclass(slots=True)
class _Connection:
    """What a client has sent so far, until it is answered."""

    head: bytearray = field(default_factory=bytearray)
    is_answered: bool = False


class RefusingServer:
    """A server that refuses everything; it listens from the start until it is closed.

    Attributes:
        root: Its address.

    Args:
        explain: Returns what a client is told of a request.
        told: Called with each request, in the thread of the server.
        begins: Called in that thread at its begin.
    """

    def __init__(
        self,
        explain: Callable[[Refused], str],
        told: Callable[[Refused], None],
        begins: Callable[[], None],
    ) -> None:
        self._explain = explain
        self._told = told
        self._begins = begins
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=socket.SOMAXCONN)
        self._listener.setblocking(False)
        self._ending, self._end = socket.socketpair()
        self.root = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._has_begun, self._has_ended = _allocate_lock(), _allocate_lock()
        self._has_begun.acquire()
        self._has_ended.acquire()
        _start_new_thread(self._serve, ())
        self._has_begun.acquire()

    def address(self, url: str) -> str:
        """Return the address at which this server refuses what was meant for another one."""
        parts = urlsplit(url)
        return f"{self.root}/{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")

    def close(self) -> None:
        """Stop listening, and end what is open."""
        self._end.close()
        self._has_ended.acquire()

    def _serve(self) -> None:
        try:
            self._begins()
            self._has_begun.release()
            with self._ending, self._listener, selectors.DefaultSelector() as selector:
                self._serve_on(selector)
        finally:
            self._has_ended.release()

    def _serve_on(self, selector: selectors.BaseSelector) -> None:
        selector.register(self._ending, selectors.EVENT_READ)
        selector.register(self._listener, selectors.EVENT_READ)
        while self._serve_once(selector):
            pass
        for key in tuple(selector.get_map().values()):
            if isinstance(key.data, _Connection):
                _close(selector, key.fileobj)

    def _serve_once(self, selector: selectors.BaseSelector) -> bool:
        """Serve those that ask now; return whether to go on."""
        for key, _ in selector.select():
            if key.fileobj is self._ending:
                return False
            if key.fileobj is self._listener:
                with suppress(OSError):  # it may have gone again
                    client, _ = self._listener.accept()
                    client.setblocking(False)
                    selector.register(client, selectors.EVENT_READ, _Connection())
            else:
                assert isinstance(key.fileobj, socket.socket)
                if not self._goes_on(key.fileobj, key.data):
                    _close(selector, key.fileobj)
        return True

    def _goes_on(self, client: socket.socket, connection: _Connection) -> bool:
        """Read what a client sends, and answer it; return whether it may send more.

        What follows a request's head is read and thrown away: to close before would reset the
        connection, and the client might lose the answer.
        """
        try:
            received = client.recv(_AT_ONCE)
            if not received:
                return False
            if connection.is_answered:
                return True
            connection.head += received
            if _HEAD_ENDS in connection.head:
                connection.is_answered = True
                client.sendall(self._answer(bytes(connection.head)))
                client.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return connection.is_answered or len(connection.head) <= _LONGEST_HEAD

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        refused = _refused(method, rest.rpartition(" ")[0])
        self._told(refused)
        why = self._explain(refused)
        # In the form of Anthropic's API; of the others', with `type` beside `message`.
        error = {"type": "invalid_request_error", "message": why, "code": "not_mocked"}
        body = json.dumps({"type": "error", "error": error}).encode()
        status = _TUNNEL_REFUSED if method == "CONNECT" else _REFUSED
        lines = (
            f"HTTP/1.1 {status}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "X-Should-Retry: false",
            "Connection: close",
        )
        shown = b"" if method == "HEAD" else body
        return "\r\n".join(lines).encode() + _HEAD_ENDS + shown


def _refused(method: str, target: str) -> Refused:
    if method == "CONNECT":
        return Refused(_host_of(target), "", was_named=False)
    parts = urlsplit(target)
    if parts.netloc:
        return Refused(_host_of(parts.netloc), parts.path, was_named=False)
    host, slash, path = parts.path.removeprefix("/").partition("/")
    return Refused(_host_of(host), slash + path, was_named=True)


def _host_of(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return authority


def _close(selector: selectors.BaseSelector, client: object) -> None:
    assert isinstance(client, socket.socket)
    selector.unregister(client)
    client.close()
