"""The in-process transport: respx routers that send the mocked world's replies on the clock.

respx patches the transport below any client, so real SDK clients run unchanged: openai 3.x
through httpx2 (and ``httpcore2`` below it), others through httpx.

The reply is decided before respx's own matching, which resolves patterns, inspects the side
effect and keeps a record of each call (about 8 KB a call with a 2 KB prompt). A request that
is not mocked is refused and never leaves the machine.

There is no socket, so a client's own timeouts would have no effect. They are applied here: a
reply that takes longer than the client's read timeout raises what its transport would raise, at
that time on the clock. So do failed connections. A client without a timeout waits endlessly
for an answer that never comes, which a clock that skips reports as a deadlock.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType

import respx

from ...errors import UnmockedRequestError
from ...observe.calls import Call, ConnectionWait
from ...wire.reply import Ending
from ...world.world import World
from ..http_libraries import CLIENTS
from .connections import Connections, Pools
from .http_messages import AsyncBody, Body, Request, Response, WholeBody
from .play import NEVER_NS, Play, sleep_until_ns, wait_until_ns
from .refusing import refusal_text
from .respx_mockers import MOCKERS

_SECOND_NS = 1_000_000_000


class WorldRouter(respx.MockRouter):
    """A respx router with one compiled route: the mocked world.

    Args:
        world: What answers.
        transport: The package whose transports are patched.
        pools: The connections that clients may have; those of ``world`` by default.
    """

    def __init__(self, world: World, *, transport: str, pools: Pools | None = None) -> None:
        super().__init__(using=MOCKERS[transport], assert_all_called=False)
        self._world = world
        self._pools = pools or Pools(world.clock.now_ns)
        self._transport = transport
        # Each client maps the errors of its own transport, and no others.
        self._errors = importlib.import_module(transport)

    async def answer_async(self, request: Request) -> Response:
        """Answer a request of an async client when the head of its reply is due."""
        connections = self._pools.of(request.pool)
        if not connections.take():
            with self._waiting(connections) as wait:
                granted_ns = await connections.wait_async(request.pool_timeout_s)
                self._require_granted(wait, granted_ns, connections)
        try:
            play = _Play(self._world, request, self._errors)
            if play.is_prompt:
                with play.call() as call:
                    call.waits_until(play.first_ns)
                    await play.clock.sleep_until_ns(play.first_ns)
                    play.ends(call, play.first_ns)
                return play.whole_response(connections.give_back)
        except BaseException:
            connections.give_back()
            raise
        scope = ExitStack()
        scope.callback(connections.give_back)
        with scope:
            call = scope.enter_context(play.call())
            play.begins(call)
            call.waits_until(play.first_ns)
            await sleep_until_ns(play.clock, play.first_ns)
            call.taken_up()
            play.require_first(call)
            return play.response(_AsyncParts(play, call, scope.pop_all()))

    def answer(self, request: Request) -> Response:
        """Answer a request of a sync client when the head of its reply is due."""
        connections = self._pools.of(request.pool)
        if not connections.take():
            with self._waiting(connections) as wait:
                granted_ns = connections.wait(request.pool_timeout_s)
                self._require_granted(wait, granted_ns, connections)
        try:
            play = _Play(self._world, request, self._errors)
            if play.is_prompt:
                with play.call() as call:
                    call.waits_until(play.first_ns)
                    play.clock.wait_until_ns(play.first_ns)
                    play.ends(call, play.first_ns)
                return play.whole_response(connections.give_back)
        except BaseException:
            connections.give_back()
            raise
        scope = ExitStack()
        scope.callback(connections.give_back)
        with scope:
            call = scope.enter_context(play.call())
            play.begins(call)
            call.waits_until(play.first_ns)
            wait_until_ns(play.clock, play.first_ns)
            call.taken_up()
            play.require_first(call)
            return play.response(_SyncParts(play, call, scope.pop_all()))

    def _waiting(self, connections: Connections) -> ConnectionWait:
        """Return the scope of a wait for a connection."""
        world = self._world
        client = CLIENTS[self._transport]
        return world.traffic.connection_wait(client, connections.most, world.clock.now_ns())

    def _require_granted(
        self, wait: ConnectionWait, granted_ns: int | None, connections: Connections
    ) -> None:
        """Report how a wait for a connection ended.

        Raises:
            Exception: The transport's own, if none was free within the client's timeout.
        """
        if granted_ns is None:
            wait.times_out()
            raise self._errors.PoolTimeout(
                f"no connection of the client's pool, which may have {connections.most}, was free "
                "within its timeout"
            )
        wait.is_granted(granted_ns)


class _Play(Play):
    """One reply being sent to a client of httpx or httpx2.

    It computes what happens next, and when: no socket does so here.
    """

    __slots__ = ("_errors", "_timeout_ns", "first_ns", "is_prompt")

    def __init__(self, world: World, request: Request, errors: ModuleType) -> None:
        address = request.address
        try:
            self.exchange = world.exchange(request.method, address.path, address.text, request.body)
        except UnmockedRequestError as error:
            raise errors.ConnectError(refusal_text(address.text)) from error
        self._errors = errors
        self.has_body = request.method != "HEAD"
        self._timeout_ns = _nanoseconds(request.read_timeout_s)
        self.clock = world.clock
        self.traffic = world.traffic
        reply = self.exchange.reply
        waits_for_ever = not reply.parts and reply.ending is Ending.SILENT
        first_after_ns = NEVER_NS if waits_for_ever else reply.head_ns
        self.first_ns = self.exchange.arrived_ns + min(first_after_ns, self._timeout_ns)
        # A stream is taken up piece by piece, even if all its pieces come at one time.
        is_at_once = reply.is_whole and not reply.pieces
        self.is_prompt = is_at_once and first_after_ns <= self._timeout_ns

    def require_first(self, call: Call) -> None:
        """Check that status and headers are sent.

        Raises:
            Exception: The transport's own, if there is no connection or no answer in time.
        """
        reply = self.exchange.reply
        if not reply.parts or reply.head_ns > self._timeout_ns:
            call.reply_ends(self.first_ns, is_accepted=False)
            raise self._broken(Ending.SILENT if reply.parts else reply.ending)

    def whole_response(self, closes: Callable[[], None]) -> Response:
        """Return the response with all of its body; ``closes`` is called when that is closed."""
        reply = self.exchange.reply
        body = reply.body
        headers = _encoded(reply.headers)
        headers.append((b"content-length", b"%d" % len(body)))
        return Response(reply.status, headers, WholeBody(body if self.has_body else b"", closes))

    def response(self, stream: "_AsyncParts | _SyncParts") -> Response:
        """Return the response with a stream of the parts of its body."""
        reply = self.exchange.reply
        return Response(reply.status, _encoded(reply.headers), stream)

    def taken(self, call: Call, at_ns: int, pieces: int, error: Exception | None) -> None:
        """Report that a part was waited for, and raise what comes in its place."""
        call.taken_up()
        if error is not None:
            call.reply_ends(at_ns, is_accepted=False)
            raise error
        if pieces:
            call.takes_pieces(pieces, self.clock.now_ns())
        reply = self.exchange.reply
        if at_ns - self.exchange.arrived_ns >= reply.end_ns and reply.ending is Ending.COMPLETE:
            self.ends(call, at_ns)

    def parts(self) -> Iterator[tuple[int, bytes, int, Exception | None]]:
        """Yield when to wait for; then the bytes that are there, and their pieces; or an error."""
        reply, arrived_ns = self.exchange.reply, self.exchange.arrived_ns
        before_ns = arrived_ns + reply.head_ns
        for part in reply.parts:
            due_ns = arrived_ns + part.at_ns
            if due_ns - before_ns > self._timeout_ns:
                yield before_ns + self._timeout_ns, b"", 0, self._broken(Ending.SILENT)
                return
            yield due_ns, part.data if self.has_body else b"", part.pieces, None
            before_ns = due_ns
        if reply.ending is Ending.SILENT:
            yield before_ns + self._timeout_ns, b"", 0, self._broken(Ending.SILENT)
        elif reply.ending is not Ending.COMPLETE:
            yield arrived_ns + reply.end_ns, b"", 0, self._broken(reply.ending)

    def _broken(self, ending: Ending) -> Exception:
        errors = self._errors
        error: Exception
        if ending is Ending.RESET:
            error = errors.ReadError("warpbench: a scripted fault, connection reset by peer")
        elif ending is Ending.CLOSED:
            error = errors.RemoteProtocolError(
                "peer closed connection without sending complete message body (a scripted fault)"
                if self.exchange.reply.parts
                else "Server disconnected without sending a response. (a scripted fault)"
            )
        else:
            error = errors.ReadTimeout("warpbench: no data within the client's read timeout")
        return error


class _AsyncParts(AsyncBody):
    """The body of a reply, part by part, each when it is due."""

    def __init__(self, play: _Play, call: Call, scope: ExitStack) -> None:
        self._play = play
        self._call = call
        self._scope = scope
        # Who reads a body again goes on where it was, as on a socket: the openai SDK drains it.
        self._parts = play.parts()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._scope:
            for due_ns, data, pieces, error in self._parts:
                self._call.waits_until(due_ns)
                await sleep_until_ns(self._play.clock, due_ns)
                self._play.taken(self._call, due_ns, pieces, error)
                yield data

    async def aclose(self) -> None:
        """End the body here: the client has disconnected, or never read it."""
        self._scope.close()


class _SyncParts(Body):
    """The body of a reply, part by part, for a sync client."""

    def __init__(self, play: _Play, call: Call, scope: ExitStack) -> None:
        self._play = play
        self._call = call
        self._scope = scope
        self._parts = play.parts()

    def __iter__(self) -> Iterator[bytes]:
        with self._scope:
            for due_ns, data, pieces, error in self._parts:
                self._call.waits_until(due_ns)
                wait_until_ns(self._play.clock, due_ns)
                self._play.taken(self._call, due_ns, pieces, error)
                yield data

    def close(self) -> None:
        """End the body here: the client has disconnected, or never read it."""
        self._scope.close()


@contextmanager
def mocked_httpx(world: World) -> Iterator[None]:
    """Answer every HTTP request of httpx and httpx2 clients from ``world`` in this scope."""
    pools = Pools(world.clock.now_ns)
    with ExitStack() as routers:
        for transport in CLIENTS:
            routers.enter_context(WorldRouter(world, transport=transport, pools=pools))
        yield


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _nanoseconds(timeout_s: float | None) -> int:
    return NEVER_NS if timeout_s is None else round(timeout_s * _SECOND_NS)
