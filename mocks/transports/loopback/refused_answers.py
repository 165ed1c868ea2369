"""Notes, over sockets, which session met a refusal of the server, and when it had asked.

The server refuses a request at once. It knows neither whose it is, nor what its client does until
it asks again. So it numbers its refusals, and sends the number along (``refusal_header``); the
clients' side notes what it was doing when such an answer comes.

httpx and httpx2 are followed for their waits already (``connection_waits``). Here are the others:
``http.client``, and so urllib3 and whatever is above it, by the two methods that begin a request
and read the head of its answer; and aiohttp, by its own trace hooks. All of these are public.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from http.client import HTTPConnection
from typing import Any
from weakref import WeakKeyDictionary

from ...clock import Clock
from ...clock.patching import patched
from ...observe.meter import Meter
from ...observe.refusals import UNKNOWN_SESSION
from ...observe.session import session_here
from ...observe.waits import SentRequest

_NUMBER = "warpbench-refusal"


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that was begun.

    Attributes:
        session: Number of the session; -1 if that is not known.
        start_ns: Since when, on the clock.
        idle_ns: How long nobody had computed until then.
    """

    session: int
    start_ns: int
    idle_ns: int


def begun(clock: Clock) -> Begun:
    """Return a request that the running code begins now."""
    session = session_here()
    session = UNKNOWN_SESSION if session is None else session
    return Begun(session, clock.now_ns(), clock.idle_ns())


def note_end(meter: Meter, clock: Clock, request: Begun, refusal: int | None) -> None:
    """Note that a request is over.

    Args:
        meter: What it is noted in.
        clock: Keeps the trial's time.
        request: The request.
        refusal: Number of the server's refusal; ``None`` if it was answered.
    """
    meter.sent.append(
        SentRequest(
            request.session,
            request.start_ns,
            clock.now_ns(),
            request.idle_ns,
            clock.idle_ns(),
            refusal,
        )
    )


def refusal_header(number: int) -> tuple[bytes, bytes]:
    """Return the header that tells the number of a refusal."""
    return _NUMBER.encode(), b"%d" % number


def refusal_in(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the number of the refusal in the headers of an answer; ``None`` if it is none."""
    name = _NUMBER.encode()
    return next((int(value) for key, value in headers if key.lower() == name), None)


@contextmanager
def noting_refused_answers(meter: Meter, clock: Clock) -> Iterator[None]:
    """Note the requests of ``http.client`` and of aiohttp in this scope.

    Args:
        meter: What they are noted in.
        clock: Keeps the trial's time.
    """
    with ExitStack() as patches:
        for name, replacement in _following_http_client(meter, clock).items():
            patches.enter_context(patched(HTTPConnection, name, replacement))
        if "aiohttp" in sys.modules:
            from ..aiohttp_waits import traced_by  # noqa: PLC0415 - as for its waits

            patches.enter_context(traced_by(_tracing(meter, clock)))
        yield


def _following_http_client(meter: Meter, clock: Clock) -> dict[str, Callable[..., Any]]:
    asked: WeakKeyDictionary[HTTPConnection, Begun] = WeakKeyDictionary()
    begin, read = HTTPConnection.putrequest, HTTPConnection.getresponse

    @wraps(begin)
    def putrequest(connection: HTTPConnection, *args: Any, **options: Any) -> None:
        asked[connection] = begun(clock)
        begin(connection, *args, **options)

    @wraps(read)
    def getresponse(connection: HTTPConnection) -> Any:
        request = asked.pop(connection, None)
        refusal = None
        try:
            response = read(connection)
            number = response.getheader(_NUMBER)
            refusal = None if number is None else int(number)
        finally:
            if request is not None:
                note_end(meter, clock, request, refusal)
        return response

    return {"putrequest": putrequest, "getresponse": getresponse}


def _tracing(meter: Meter, clock: Clock) -> Any:
    import aiohttp  # noqa: PLC0415 - it is imported already

    async def begins(_session: object, context: Any, _params: object) -> None:
        context.begun = begun(clock)

    async def ends(_session: object, context: Any, params: Any) -> None:
        number = params.response.headers.get(_NUMBER)
        note_end(meter, clock, context.begun, None if number is None else int(number))

    async def fails(_session: object, context: Any, _params: object) -> None:
        note_end(meter, clock, context.begun, None)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(begins)
    tracing.on_request_end.append(ends)
    tracing.on_request_exception.append(fails)
    return tracing
