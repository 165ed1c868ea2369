"""What is held is sent along with what is written next, and in its order."""

import asyncio
from typing import Any

from warpbench.mocks.transports.loopback.paced_transport import HeldTransport


class Recording(asyncio.Transport):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")


def test_what_is_not_held_is_sent_at_once() -> None:
    inner = Recording()
    transport = HeldTransport(inner)
    transport.write(b"a")
    transport.write(b"b")
    assert inner.told == [b"a", b"b"]


def test_what_is_held_goes_with_the_next_write() -> None:
    inner = Recording()
    transport = HeldTransport(inner)
    with transport.holding():
        transport.write(b"he")
        transport.write(b"ad ")
    assert inner.told == []
    transport.write(b"body")
    assert inner.told == [b"head body"]


def test_a_flush_sends_what_is_held_and_nothing_twice() -> None:
    inner = Recording()
    transport = HeldTransport(inner)
    with transport.holding():
        transport.write(b"head")
    transport.flush()
    transport.flush()
    transport.write(b"body")
    assert inner.told == [b"head", b"body"]


def test_a_connection_is_closed_after_what_is_held_is_sent() -> None:
    inner = Recording()
    transport = HeldTransport(inner)
    with transport.holding():
        transport.write(b"head")
    transport.close()
    assert inner.told == [b"head", "close"]


def test_what_is_held_when_a_connection_is_aborted_was_never_sent() -> None:
    inner = Recording()
    transport = HeldTransport(inner)
    with transport.holding():
        transport.write(b"head")
    transport.abort()
    assert inner.told == ["abort"]
