"""The plainest way to wait over a socket: what the machine itself makes late, beside the lab.

A process with blocking sockets, a thread for each connection: it sleeps, looks at the clock for the
last bit, and answers. On a shared machine a sleeper is woken milliseconds late now and then,
whatever the program; and a client computes before it sends and after it receives, whoever answers.
What is asked of it tells by how much.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from warpbench.mocks.wire.reply import Reply

_LOOKS_NS = 400_000
_HOST = "127.0.0.1"
_SECOND_NS = 1_000_000_000

LateNs = Callable[[Sequence[int], int], list[int]]


def _wait_until(due_ns: int) -> None:
    left_ns = due_ns - time.monotonic_ns() - _LOOKS_NS
    time.sleep(max(0, left_ns) / _SECOND_NS)
    while time.monotonic_ns() < due_ns:
        pass


def _answer(connection: socket.socket) -> None:
    """Answer the digits of a latency after it."""
    while asked := connection.recv(64):
        _wait_until(time.monotonic_ns() + int(asked))
        connection.sendall(b"!")


def _stream(connection: socket.socket, pieces: list[tuple[int, bytes]]) -> None:
    """Answer each request with the same bytes at the same times."""
    while request := connection.recv(65536):
        arrived_ns = time.monotonic_ns()
        head, _, body = request.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length:")
        missing = int(length.split()[0]) - len(body)
        while missing > 0:
            missing -= len(connection.recv(65536))
        for at_ns, data in pieces:
            _wait_until(arrived_ns + at_ns)
            connection.sendall(data)


def _serve() -> None:
    """Serve what the first line of standard input says: nothing, or the pieces of a stream."""
    asked = json.loads(sys.stdin.readline())
    pieces = [(at_ns, text.encode()) for at_ns, text in asked]

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _stream(connection, pieces) if pieces else _answer(connection)

    with socket.create_server((_HOST, 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


@contextmanager
def _served(pieces: Sequence[tuple[int, str]]) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{json.dumps(pieces)}\n".encode())
        process.stdin.flush()
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _late_ns(port: int, latencies_ns: Sequence[int]) -> list[int]:
    late_ns = []
    with socket.create_connection((_HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for latency_ns in latencies_ns:
            sent_ns = time.monotonic_ns()
            connection.sendall(b"%d" % latency_ns)
            connection.recv(1)
            late_ns.append(time.monotonic_ns() - sent_ns - latency_ns)
    return late_ns


@contextmanager
def bare_pair() -> Iterator[LateNs]:
    """Start the process that answers.

    Yields:
        What asks for answers after these latencies, so many at once, and returns by how much each
        was late, in nanoseconds.
    """

    def ask(latencies_ns: Sequence[int], at_once: int) -> list[int]:
        shares = [latencies_ns[first::at_once] for first in range(at_once)]
        with ThreadPoolExecutor(at_once) as pool:
            return [late for each in pool.map(lambda s: _late_ns(port, s), shares) for late in each]

    with _served(()) as port:
        yield ask


@contextmanager
def bare_stream(reply: Reply) -> Iterator[str]:
    """Start a process that streams a reply to whoever asks, without a server's work.

    Yields:
        Its address.
    """
    head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    pieces = [(reply.head_ns, f"HTTP/1.1 200 OK\r\n{head}transfer-encoding: chunked\r\n\r\n")]
    pieces += [
        (part.at_ns, f"{len(part.data):x}\r\n{part.data.decode()}\r\n") for part in reply.parts
    ]
    last_ns, last = pieces[-1]
    pieces[-1] = last_ns, last + "0\r\n\r\n"
    with _served(pieces) as port:
        yield f"http://{_HOST}:{port}"


if __name__ == "__main__":
    _serve()
