"""Starts a server in a process of its own, asks it what it saw, and knows what it can carry."""

import json
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any, Self

from ...child_process import Child, ChildError
from ...errors import TrialError
from ...model import task_of
from ...scenario import MAX_SESSIONS
from ...workload.script import ModelCallScript, SessionScript
from ...world.world import WorldSpec
from .app import CONTROL_PATH

HOST = "127.0.0.1"
_STARTS_WITHIN_S = 30.0
_ENDS_WITHIN_S = 5.0
_BURST = 400
_PIPELINED = 20

# What the burst asks for: a session that is part of no script, without any wait.
_AT_ONCE = SessionScript(-MAX_SESSIONS, (ModelCallScript(0, 500, 80, ()),))


class ServerProcess:
    """A server that runs; end it with ``close``.

    Attributes:
        port: Its port on loopback.
        capacity_per_s: Requests without latency that it can answer a second, on one core.

    Args:
        spec: The world that it serves.

    Raises:
        TrialError: It did not start.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self._child = Child([sys.executable, "-m", f"{__package__}"], ends_within_s=_ENDS_WITHIN_S)
        sessions = {**spec.sessions, _AT_ONCE.session: _AT_ONCE}
        self._child.write(pickle.dumps(replace(spec, sessions=sessions)))
        self.port = self._started()
        self.capacity_per_s = self._measured_capacity_per_s()

    @property
    def root(self) -> str:
        """Its address, without a path."""
        return f"http://{HOST}:{self.port}"

    def forget(self) -> dict[str, Any]:
        """Have it forget every request so far; return what ``seen`` would now."""
        return self._ask("forget")

    def seen(self) -> dict[str, Any]:
        """Return what it saw since it was told to forget, and its CPU seconds."""
        return self._ask("seen")

    def close(self) -> None:
        """End the server."""
        self._child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> int:
        try:
            return int(self._child.line(_STARTS_WITHIN_S))
        except (ChildError, ValueError) as error:
            self.close()
            raise TrialError(f"the mock model's server did not start: {error}") from error

    def _ask(self, command: str) -> dict[str, Any]:
        with self._connected() as connection:
            connection.request("GET", f"{CONTROL_PATH}{command}")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        connection = HTTPConnection(HOST, self.port, timeout=_STARTS_WITHIN_S)
        try:
            yield connection
        finally:
            connection.close()

    def _measured_capacity_per_s(self) -> float:
        """Have it answer a burst; its own CPU time tells, whatever the client can do."""
        request = _plain_request(self.port)
        self._burst(request, _BURST // 4)
        before_s = self.seen()["cpu_s"]
        self._burst(request, _BURST)
        cpu_s: float = self.forget()["cpu_s"] - before_s
        return _BURST / max(cpu_s, 1e-6)

    def _burst(self, request: bytes, count: int) -> None:
        with self._connected() as connection:
            connection.connect()
            with connection.sock.makefile("rb") as answers:
                for _ in range(count // _PIPELINED):
                    connection.sock.sendall(request * _PIPELINED)
                    _read_answers(answers, _PIPELINED)


def _plain_request(port: int) -> bytes:
    message = {"role": "user", "content": task_of(_AT_ONCE.session, "capacity")}
    body = json.dumps({"model": "m", "messages": [message]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {HOST}:{port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _read_answers(stream: Any, count: int) -> None:
    for _ in range(count):
        length = 0
        while (line := stream.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        stream.read(length)
