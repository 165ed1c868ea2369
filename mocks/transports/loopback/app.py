"""The ASGI app: plays the world's replies over a connection, with their faults."""

import json
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

import msgspec

from ...errors import UnmockedRequestError
from ...observe.calls import Call
from ...wire.reply import Ending, Reply
from ...world.world import Exchange, World
from .asgi import Receive, Scope, Send
from .paced_transport import HeldTransport
from .refusals import refusal
from .refused_answers import refusal_header
from .session_header import caller_of

if TYPE_CHECKING:
    from .authority import Authority

CONTROL_PATH = "/warpbench/"
"""The path at which a trial reads what the server saw, and resets it."""

UNDER_WAY = "under-way"
"""What is asked for below that path to know how many requests are being answered."""

AUTHORITY = "authority"
"""What is asked for below that path to get the certificate of the server's own authority."""

SERVICES_PATH = "/services/"
"""The path before the scheme, the host and the path of a mocked HTTP service."""

TRANSPORT = "warpbench.transport"
"""Name of the extension of a request's scope that holds the connection."""

ARRIVED_NS = "warpbench.arrived_ns"
"""Name of the extension with the time of a request's first byte, on the monotonic clock."""

MEANT_FOR = "warpbench.meant_for"
"""Name of the extension with scheme and host that a request is meant for, if it came by a proxy."""

_NOT_IMPLEMENTED = 501
_SETTLES_NS = 5_000_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Counts(Protocol):
    """Counts what a server answers."""

    def answering(self, exchange: Exchange) -> AbstractContextManager[None]:
        """Count a request, from when it is to be answered until it is."""
        ...

    def refuses(self, status: int) -> None:
        """Count a request that nobody answers, by the HTTP status of the refusal."""
        ...


class _CountsNothing:
    def answering(self, _exchange: Exchange) -> AbstractContextManager[None]:
        return _NOTHING

    def refuses(self, status: int) -> None:
        pass


_NOTHING = nullcontext()


class ServerApp:
    """Serves a world.

    Attributes:
        authority: Vouches for the hosts that programs ask for over TLS, once it is asked for.

    Args:
        world: What answers.
        counts: Counts what is answered; ``None``: nobody does.
    """

    def __init__(self, world: World, counts: Counts | None = None) -> None:
        self._world = world
        self._counts = counts or _CountsNothing()
        self.authority: Authority | None = None
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if body is None:
            return
        method, path = scope["method"], scope["path"]
        is_proxied = MEANT_FOR in scope["extensions"]
        if path.startswith(CONTROL_PATH) and not is_proxied:
            await self._control(path.removeprefix(CONTROL_PATH), send)
            return
        try:
            arrived_ns = scope["extensions"][ARRIVED_NS]
            caller = caller_of(scope["headers"])
            exchange = self._world.exchange(
                method, path, _address(scope), body, arrived_ns=arrived_ns, caller=caller
            )
        except UnmockedRequestError as error:
            refused = refusal(method, path, scope["headers"], str(error))
            self._counts.refuses(refused.status)
            # Nobody has been let in since it was counted.
            count = self._world.traffic.refused_requests
            numbered = [refusal_header(count - 1)] if count else []
            await _send(send, refused.status, refused.headers, refused.parts[0].data, numbered)
            return
        transport: HeldTransport = scope["extensions"][TRANSPORT]
        traffic = self._world.traffic
        counted = (
            traffic.model_call(
                exchange.session,
                exchange.step,
                exchange.arrived_ns,
                exchange.reply.prompt_tokens,
                exchange.reply.completion_tokens,
                attempt=exchange.attempt,
            )
            if exchange.is_model_call
            else traffic.service_call(exchange.service, exchange.arrived_ns, exchange.sessions)
        )
        self._under_way += 1
        try:
            with self._counts.answering(exchange), counted as call:
                await self._play(exchange, call, transport, receive, send)
        finally:
            self._under_way -= 1

    async def _play(
        self,
        exchange: Exchange,
        call: Call,
        transport: HeldTransport,
        receive: Receive,
        send: Send,
    ) -> None:
        reply, sleep_until_ns = exchange.reply, self._world.clock.sleep_until_ns

        async def wait_until(after_ns: int) -> None:
            call.waits_until(exchange.arrived_ns + after_ns)
            await sleep_until_ns(exchange.arrived_ns + after_ns)
            call.taken_up(not_after_ns=transport.lost_ns)

        if exchange.is_model_call and reply.is_stream:
            call.is_streamed(pieces=reply.pieces)
        is_complete = reply.ending is Ending.COMPLETE
        if reply.parts:
            start = {"type": "http.response.start", "status": reply.status}
            # Rendered now, while there is time, and sent when it is due.
            with transport.holding():
                await send({**start, "headers": _headers(reply)})
            await wait_until(reply.head_ns)
        last = len(reply.parts) - 1
        for index, part in enumerate(reply.parts):
            if part.at_ns > reply.head_ns:
                transport.flush()
                await wait_until(part.at_ns)
            if transport.lost_ns is not None:
                return
            if index == last and is_complete:
                # Before it is sent: whoever has it may end its session at once.
                call.reply_ends(exchange.arrived_ns + part.at_ns, is_accepted=exchange.is_accepted)
            more = index < last or not is_complete
            await send({"type": "http.response.body", "body": part.data, "more_body": more})
            call.takes_pieces(part.pieces, self._world.clock.now_ns())
            transport.flush()  # where a method has no body, nothing was written that takes it along
        if not is_complete:
            await wait_until(reply.end_ns)
            if transport.lost_ns is None:
                call.reply_ends(exchange.arrived_ns + reply.end_ns, is_accepted=False)
                await self._break_off(reply, transport, receive)

    async def _break_off(self, reply: Reply, transport: HeldTransport, receive: Receive) -> None:
        if reply.parts:
            # Sent bytes must be read before a reset may overtake them.
            await self._world.clock.sleep_until_ns(self._world.clock.now_ns() + _SETTLES_NS)
        _end(transport, reply.ending)
        await _until_gone(receive)

    async def _tell_authority(self, send: Send) -> None:
        plain = {"content-type": "text/plain"}
        try:
            # An extra, which only services as they are deployed take.
            from .authority import Authority  # noqa: PLC0415
        except ImportError:
            why = "a service as deployed needs two packages more: pip install 'warpbench[serve]'"
            await _send(send, _NOT_IMPLEMENTED, plain, why.encode())
            return
        self.authority = self.authority or Authority()
        await _send(send, 200, plain, self.authority.certificate_pem.encode())

    async def _control(self, command: str, send: Send) -> None:
        if command == AUTHORITY:
            await self._tell_authority(send)
            return
        if command == UNDER_WAY:
            await _send_json(send, 200, self._under_way)
            return
        world = self._world
        if command == "forget":
            world.forget()
        requests = world.traffic.requests
        seen = {
            "http_requests": world.traffic.http_requests,
            "llm_calls": world.traffic.llm_calls,
            "service_calls": world.traffic.service_calls,
            "peak_in_flight": world.traffic.peak_in_flight,
            "waits": [asdict(wait) for wait in world.traffic.waits],
            "asked_ns": [[*call, at_ns] for call, at_ns in world.traffic.asked_ns.items()],
            "read_again": world.traffic.read_again,
            "latencies_ns": [[*call, ns] for call, ns in world.traffic.latencies_ns.items()],
            "lab_tools_asked": [[*at, n] for at, n in world.traffic.lab_tools_asked.items()],
            "rules": world.model.conversations.rules,
            "inputs": world.inputs,
            "manners": world.model.conversations.counts,
            "read_ns": [[*call, at_ns] for call, at_ns in world.traffic.read_ns.items()],
            "follow_ups": sorted(world.traffic.follow_ups),
            "streams": asdict(world.traffic.streams),
            "refusals": [asdict(each) for each in world.traffic.refusals],
            "leaks": [msgspec.to_builtins(each) for each in world.traffic.isolation.leaks],
            "wrong_requests": [asdict(each) for each in world.traffic.wrong.noted],
            "cache_hits": world.traffic.isolation.cache_hits,
            "requests": None if requests is None else asdict(requests),
            "tools_declared": sorted(world.model.tools_declared),
            "cpu_s": time.process_time(),
        }
        await _send_json(send, 200, seen)


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.is_whole:
        headers.append((b"content-length", b"%d" % len(reply.parts[0].data)))
    return headers


def _end(transport: HeldTransport, ending: Ending) -> None:
    if transport.is_closing():
        return
    if ending is Ending.RESET:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    elif ending is not Ending.SILENT:
        transport.close()


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request; ``None`` if its client disconnected before it was sent."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_json(send: Send, status: int, value: object) -> None:
    await _send(send, status, {"content-type": "application/json"}, json.dumps(value).encode())


async def _send(
    send: Send,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    more: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    written = [(name.encode(), value.encode()) for name, value in headers.items()]
    written.extend(more)
    written.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": written})
    await send({"type": "http.response.body", "body": body})


def _address(scope: Scope) -> str:
    """Return the address that a request is for: that of a service is part of the request's path."""
    path: str = scope["raw_path"].decode("ascii", errors="replace")
    query = scope["query_string"].decode("ascii", errors="replace")
    asked = f"?{query}" if query else ""
    meant_for = scope["extensions"].get(MEANT_FOR)
    if meant_for is not None:
        return f"{meant_for}{path}{asked}"
    if not path.startswith(SERVICES_PATH):
        return path + asked
    scheme, _, rest = path.removeprefix(SERVICES_PATH).partition("/")
    host, _, rest = rest.partition("/")
    return f"{scheme}://{host}/{rest}{asked}"
