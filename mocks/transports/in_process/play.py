"""One exchange with the mocked world while it is played: what is told of it, whatever the client.

What comes when is decided by the reply (``mocks/wire``). Each client's module turns that into what
its client reads: responses for httpx and httpx2 (``router``), bytes of HTTP/1.1 for those that read
a connection (``connection``).
"""

import asyncio
import threading

from ...clock import Clock
from ...observe.calls import Call
from ...observe.traffic import Traffic
from ...world.world import Exchange

NEVER_NS = 1 << 62
"""When that is due which never comes."""


class Play:
    """One exchange that is played to a client.

    A subclass sets the attributes: to call a constructor here would cost every mocked call.

    Attributes:
        exchange: The request's reply, and whose it is.
        clock: Keeps the trial's time.
        traffic: Counts the call.
        has_body: Whether the client is sent a body: none to a ``HEAD``.
    """

    __slots__ = ("clock", "exchange", "has_body", "traffic")

    exchange: Exchange
    clock: Clock
    traffic: Traffic
    has_body: bool

    def call(self) -> Call:
        """Count the call as in flight until it is over."""
        exchange = self.exchange
        if exchange.is_model_call:
            reply = exchange.reply
            return self.traffic.model_call(
                exchange.session,
                exchange.step,
                exchange.arrived_ns,
                reply.prompt_tokens,
                reply.completion_tokens,
                attempt=exchange.attempt,
            )
        return self.traffic.service_call(exchange.service, exchange.arrived_ns, exchange.sessions)

    def begins(self, call: Call, place: str | None = None) -> None:
        """Report a stream; only of a model's reply is it asked how it ends.

        Args:
            call: The call.
            place: The place in the user's code, if it is not the one that is calling.
        """
        if self.exchange.is_model_call and self.exchange.reply.is_stream:
            call.is_streamed(place, self.exchange.reply.pieces)

    def ends(self, call: Call, at_ns: int) -> None:
        """Report that the client has waited for all that was sent."""
        call.reply_ends(at_ns, is_accepted=self.exchange.is_accepted)


async def sleep_until_ns(clock: Clock, due_ns: int) -> None:
    """Wait on the clock in a coroutine; without an end for what never comes."""
    if due_ns >= NEVER_NS:  # nothing will come, and the client set no end to its patience
        await asyncio.get_running_loop().create_future()
    await clock.sleep_until_ns(due_ns)


def wait_until_ns(clock: Clock, due_ns: int) -> None:
    """Wait on the clock in plain code; likewise."""
    if due_ns >= NEVER_NS:
        threading.Event().wait()
    clock.wait_until_ns(due_ns)
