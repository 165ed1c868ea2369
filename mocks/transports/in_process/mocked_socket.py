"""A socket whose other end is the mocked world: for clients that read ``http.client``'s."""

import errno
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from ...wire.reply import Ending
from .connection import Connection, OpenWorld, Origin, RefusedRequest, Sending, Step
from .play import NEVER_NS, wait_until_ns

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_SECOND_NS = 1_000_000_000


class MockedSocket:
    """What ``http.client`` and those on top of it use of a socket.

    It is read in the thread that reads it: there it waits, on the clock, until the next bytes are
    due or its time-out is over, and raises what a socket raises.

    Args:
        opened: What answers.
        origin: Where it leads to.
        refuses: Makes the client's own error of a refused connection.
    """

    def __init__(
        self,
        opened: OpenWorld,
        origin: Origin,
        *,
        refuses: Callable[[RefusedRequest], Exception],
    ) -> None:
        self._opened = opened
        self._clock = opened.world.clock
        self._origin = origin
        self._connection = Connection(opened.world, origin)
        self._refuses = refuses
        self._timeout_s: float | None = None
        self._ready = memoryview(b"")
        self._sending: Sending | None = None
        self._readers = 0
        self._is_closed = self._is_at_end = self._is_reset = False

    # What is sent.

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send bytes of a request.

        Raises:
            Exception: The client's own, if nothing mocks the request.
        """
        del flags
        self._require_open(errno.EPIPE)
        connection = self._connection
        try:
            sending = connection.receive(bytes(data))
        except RefusedRequest as refused:
            raise self._refuses(refused)  # noqa: B904 - it comes with its cause
        self._ready = memoryview(bytes(self._ready) + connection.interim)
        if sending is not None:
            self._ready = memoryview(b"")
            self._sending = sending

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send bytes of a request; likewise."""
        self.sendall(data, flags)
        return len(bytes(data))

    # What is read.

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read bytes of a reply."""
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer, size, flags)])

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        """Read bytes of a reply into a buffer.

        Returns:
            How many; 0 at the end of the connection.

        Raises:
            TimeoutError: None came within the time-out.
            ConnectionResetError: The world has reset the connection.
        """
        del flags
        if not self._ready and not self._is_at_end:
            self._wait(self._timeout_s)
        if self._is_reset:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        into = memoryview(buffer).cast("B")
        count = min(nbytes or len(into), len(into), len(self._ready))
        into[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def waits_for_data(self, timeout_s: float | None) -> bool:
        """Return whether there is something to read, its end included, within so many seconds."""
        if self._ready or self._is_at_end or self._is_over():
            return True
        sending = self._sending
        if timeout_s == 0 and (sending is None or sending.next is None):
            return False
        try:
            self._wait(timeout_s)
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def _wait(self, timeout_s: float | None) -> None:
        """Wait until the next step is due, and take it."""
        sending = self._sending
        step = None if sending is None else sending.next
        due_ns = NEVER_NS if step is None else step.due_ns
        until_ns = due_ns
        if timeout_s is not None:
            now_ns = self._clock.now_ns()
            until_ns = min(due_ns, now_ns + round(timeout_s * _SECOND_NS))
            if timeout_s == 0 and due_ns > now_ns:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if sending is not None:
            sending.waits_until(until_ns)
        wait_until_ns(self._clock, until_ns)
        if step is None or sending is None or until_ns < due_ns:
            if sending is not None:
                sending.times_out(until_ns)
            raise TimeoutError("timed out")
        sending.taken(step)
        self._take(step, keeps_alive=sending.keeps_alive)

    def _take(self, step: Step, *, keeps_alive: bool) -> None:
        self._ready = memoryview(step.data)
        if step.ending is Ending.RESET:
            self._is_reset = True
        elif step.ending is not None and (step.ending is not Ending.COMPLETE or not keeps_alive):
            self._is_at_end = True
        if step.ending is not None:
            self._sending = None

    # What else a socket has.

    def makefile(self, mode: str = "r", buffering: int | None = None, **_: object) -> Any:
        """Return a binary file that reads the socket, which stays open until that is closed.

        Raises:
            io.UnsupportedOperation: The mode is not for reading bytes.
        """
        if mode != "rb":
            raise io.UnsupportedOperation(f"a mocked connection is read as bytes, not as {mode!r}")
        self._readers += 1
        raw = _Reader(self)
        if buffering == 0:
            return raw
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        return io.BufferedReader(raw, size)

    def settimeout(self, value: float | None) -> None:
        """Set for how many seconds to wait for bytes; ``None`` for ever."""
        self._timeout_s = value

    def gettimeout(self) -> float | None:
        """Return for how many seconds it waits for bytes."""
        return self._timeout_s

    def setblocking(self, flag: bool) -> None:
        """Wait for ever, or never."""
        self._timeout_s = None if flag else 0.0

    def setsockopt(self, *_: object) -> None:
        """Set nothing: there is no socket."""

    def getpeername(self) -> tuple[str, int]:
        """Return the host and its port."""
        return self._origin.host, self._origin.port

    def getsockname(self) -> tuple[str, int]:
        """Return an address of this machine."""
        return "127.0.0.1", 0

    def fileno(self) -> int:
        """Return -1: there is no file."""
        return -1

    def getpeercert(self, binary_form: bool = False) -> object:
        """Return an empty certificate: nobody was to be verified."""
        return b"" if binary_form else {}

    def selected_alpn_protocol(self) -> str | None:
        """Return ``None``: it speaks HTTP/1.1."""
        return None

    def shutdown(self, how: int) -> None:
        """End it for reading and writing."""
        del how
        self._ready = memoryview(b"")
        self._is_at_end = True
        self._leave()

    def close(self) -> None:
        """Close it, as soon as nobody reads it any more."""
        self._is_closed = True
        self._close_if_unread()

    def reader_closes(self) -> None:
        """Take note that a file which reads it was closed."""
        self._readers -= 1
        if self._is_closed:
            self._close_if_unread()

    def _close_if_unread(self) -> None:
        if self._readers <= 0:
            self._leave()

    def _leave(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.leave()

    def _is_over(self) -> bool:
        return self._is_closed or self._is_reset or self._opened.is_over

    def _require_open(self, number: int) -> None:
        if self._is_over() or self._is_at_end:
            raise OSError(number, os.strerror(number))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._leave()


class _Reader(io.RawIOBase):
    """A file that reads a socket, as ``socket.SocketIO`` does."""

    def __init__(self, socket: MockedSocket) -> None:
        self._socket: MockedSocket | None = socket
        self._has_timed_out = False

    def readable(self) -> bool:
        """Return whether it is open."""
        return self._socket is not None

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Read bytes into a buffer; ``None`` if that would have to wait, and must not."""
        if self._socket is None:
            raise ValueError("I/O operation on closed file")
        if self._has_timed_out:
            raise OSError("cannot read from timed out object")
        try:
            return self._socket.recv_into(buffer)
        except TimeoutError:
            self._has_timed_out = True
            raise
        except BlockingIOError:
            return None

    def close(self) -> None:
        """Close it."""
        if self._socket is None:
            return
        super().close()
        socket, self._socket = self._socket, None
        socket.reader_closes()
