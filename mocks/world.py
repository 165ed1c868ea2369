"""The mocked world behind an edge: one request in, one reply out, and what it belongs to.

The edges (the respx router, the loopback server) differ in how they play a reply; what is
replied is decided here, for both.
"""

from dataclasses import dataclass

from .clock import Clock
from .errors import UnmockedRequestError
from .model import ScriptedModel, wire_format_of
from .reply import Reply
from .services import Services
from .traffic import Traffic


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request's reply.

    Attributes:
        reply: What is sent, and when.
        arrived_ns: When the request arrived, on the clock.
        session: The session that it belongs to; -1 if that is not known.
        step: Which of the session's model calls it is; -1 if that is not known.
        is_model_call: Whether the model was asked, and not another service.
    """

    reply: Reply
    arrived_ns: int
    session: int
    step: int
    is_model_call: bool


class World:
    """The model, and the services beside it.

    Args:
        model: Answers at the paths of the model's APIs, whatever their host.
        services: Answer at their own addresses.
        clock: Says when a request arrives.
        traffic: Counts requests.
    """

    def __init__(
        self, model: ScriptedModel, services: Services, clock: Clock, traffic: Traffic
    ) -> None:
        self._model = model
        self._services = services
        self.clock = clock
        self.traffic = traffic

    def exchange(self, method: str, path: str, url: object, body: bytes) -> Exchange:
        """Return what is replied to a request.

        Args:
            method: Its method, in capitals.
            path: The path of its address.
            url: The whole of it; what ``str`` makes of it counts.
            body: Its body.

        Raises:
            UnmockedRequestError: Nobody mocks that address; the message leaves out its query.
        """
        now_ns = self.clock.now_ns()
        self.traffic.http_request()
        if method == "POST" and wire_format_of(path) is not None:
            answered = self._model.reply(path, body, now_ns)
            return Exchange(
                answered.reply, now_ns, answered.session, answered.step, is_model_call=True
            )
        reply = self._services.reply(method, str(url), body)
        if reply is not None:
            return Exchange(reply, now_ns, -1, -1, is_model_call=False)
        raise UnmockedRequestError(
            f"{method} {str(url).partition('?')[0]} is not mocked, so it was not sent: the lab "
            "answers the model's APIs (POST …/chat/completions, …/responses, …/messages) and "
            "the [[services]] of the scenario"
        )
