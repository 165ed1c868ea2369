"""The mocked world behind a transport: takes one request, returns one reply and whose it is.

The transports (the respx router, the loopback server) differ in how they send a reply. The reply
itself is decided here, for both.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from ..clock import Clock
from ..errors import UnmockedRequestError
from ..model import NOBODY, Attempt, Caller, Kinds, Rule, ScriptedModel
from ..model.apis import addressed
from ..model.endpoints import endpoint_at
from ..observe.data_flow import DataFlowNotes
from ..observe.meter import Meter
from ..observe.requests import RequestMeter
from ..observe.session import SESSION, runs_here
from ..observe.traffic import Traffic
from ..scenario import NO_PREFILL, ConversationSpec, ModelLimits, PrefillSpec, ServiceSpec
from ..scenario.endpoints import EndpointKind, EndpointSpec
from ..wire.reply import Reply
from ..workload.script import SessionScript
from .endpoint_replies import EndpointReplies
from .results import changed_reply
from .services import Services
from .whose_inputs import booked


class Exchange(msgspec.Struct, frozen=True):
    """A request's reply.

    Attributes:
        reply: The bytes, and when they are sent.
        arrived_ns: When the request arrived, on the clock.
        session: Number of the request's session; -1 if that is not known.
        step: Number of the model call in that session; -1 if that is not known.
        is_model_call: Whether the model was asked, and not another service.
        service: Host of the service that was asked; empty for the model. An endpoint beside the
            model's answers is a service, too, by its path.
        is_accepted: Whether a client takes the model's reply for a proper answer.
        attempt: Which attempt at which model call it is; ``None`` if it is none.
        endpoint: Name of what was asked, one of few: the model's API, the endpoint beside it, or
            ``service``.
        sessions: The sessions that wait for a service, where more than the context of the code that
            asks says so.
    """

    reply: Reply
    arrived_ns: int
    session: int
    step: int
    is_model_call: bool
    service: str = ""
    is_accepted: bool = False
    attempt: Attempt | None = None
    endpoint: str = ""
    sessions: tuple[int, ...] = ()


class World:
    """The model, the endpoints beside its answers, and the services.

    Args:
        model: Answers at the paths of the model's APIs, whatever their host, if no service does.
        services: Answer at their own addresses, and before the model does.
        clock: Says when a request arrives.
        traffic: Counts requests.
        endpoints: Answer what is asked beside the model's answers; ``None``: as usual.
        data_flow: Notes what one session asks of services, and says which replies are changed.

    Attributes:
        inputs: How many inputs of requests to endpoints each rule booked.
    """

    def __init__(
        self,
        model: ScriptedModel,
        services: Services,
        clock: Clock,
        traffic: Traffic,
        endpoints: EndpointReplies | None = None,
        *,
        data_flow: DataFlowNotes | None = None,
    ) -> None:
        self.model = model
        self.services = services
        self.endpoints = endpoints or EndpointReplies({}, "")
        self.clock = clock
        self.traffic = traffic
        self._data_flow = data_flow
        self.inputs: Counter[Rule] = Counter()

    def forget(self) -> None:
        """Forget every request so far, those of a warm-up for instance."""
        self.traffic.reset()
        self.model.forget()
        self.services.forget()
        self.endpoints.forget()
        self.inputs.clear()
        if self._data_flow is not None:
            self._data_flow.forget()

    def exchange(
        self,
        method: str,
        path: str,
        url: object,
        body: bytes,
        *,
        arrived_ns: int | None = None,
        caller: Caller | None = None,
    ) -> Exchange:
        """Return the reply to a request.

        Args:
            method: HTTP method, in capitals.
            path: Path of the request's address.
            url: The whole address; an object whose ``str`` is the address.
            body: Body of the request.
            arrived_ns: When the request arrived, on the clock; ``None`` for now.
            caller: Who sends it; ``None`` for the session whose code runs here, if one does.

        Raises:
            UnmockedRequestError: The address is not mocked; the message leaves out its query.
        """
        now_ns = self.clock.now_ns() if arrived_ns is None else arrived_ns
        self.traffic.http_request()
        # A service at a path such as a model's is what its scenario declares.
        address = str(url)
        reply = self.services.reply(method, address, body)
        if reply is not None:
            host = urlsplit(address).hostname or ""
            self.traffic.service_request(host, body)
            if self._data_flow is not None:
                asked = method, address, body, now_ns
                reply = changed_reply(reply, self._data_flow.service_call(host, *asked))
            return Exchange(
                reply,
                now_ns,
                -1,
                -1,
                is_model_call=False,
                service=host,
                endpoint="service",
                sessions=() if caller is None or caller.session is None else (caller.session,),
            )
        query = address.partition("?")[2]
        place = addressed(path, query) if method == "POST" else None
        if place is not None:
            caller = caller or _caller_here()
            answered = self.model.reply(path, body, now_ns, caller, query)
            if caller.follows_up:
                self.traffic.follows_up(answered.session, answered.step, now_ns)
            self.traffic.model_request(body, is_streamed=answered.is_streamed)
            if answered.held is not None:
                self.traffic.text_held(answered.session, answered.step, answered.held, now_ns)
            if answered.wrong:
                self.traffic.sent_wrong(answered.session, answered.step, answered.wrong, now_ns)
            return Exchange(
                answered.reply,
                now_ns,
                answered.session,
                answered.step,
                is_model_call=True,
                is_accepted=answered.is_accepted,
                attempt=answered.attempt,
                endpoint=place.wire.name,
            )
        found = endpoint_at(method, path)
        if found is not None:
            self.traffic.service_request(path, body)
            sessions, inputs = booked(found.endpoint, body, caller or _caller_here())
            self.inputs.update(inputs)
            reply = self.endpoints.reply(found, path, body)
            if self._data_flow is not None:
                asked = method, address, body, now_ns
                reply = changed_reply(reply, self._data_flow.service_call(path, *asked))
            return Exchange(
                reply,
                now_ns,
                -1,
                -1,
                is_model_call=False,
                service=path,
                endpoint=found.endpoint.name,
                sessions=sessions,
            )
        raise self._refused(method, path, address, now_ns)

    def require_mocked(self, method: str, path: str, url: str) -> None:
        """Check that a request to this address would be answered, before it is made.

        Args:
            method: HTTP method, in capitals.
            path: Path of the request's address.
            url: The whole address.

        Raises:
            UnmockedRequestError: It would not be; the message leaves out its query.
        """
        if not self.is_mocked(method, path, url):
            raise self._refused(method, path, url, self.clock.now_ns())

    def is_mocked(self, method: str, path: str, url: str) -> bool:
        """Return whether a request to this address would be answered."""
        is_models = method == "POST" and addressed(path) is not None
        return (
            is_models
            or endpoint_at(method, path) is not None
            or self.services.answer_at(method, url)
        )

    def _refused(self, method: str, path: str, url: str, at_ns: int) -> UnmockedRequestError:
        """Count a request that is not mocked, and return the error that says so."""
        self.traffic.refused(_host_of(url), path, at_ns)
        return UnmockedRequestError(
            f"{method} {url.partition('?')[0]} is not mocked, so it was not sent: the lab "
            "answers the model's APIs (POST …/chat/completions, …/responses, …/messages, "
            "…:generateContent), what is asked beside them (embeddings, moderations, models, …) "
            "and the [[services]] of the scenario"
        )


def _caller_here() -> Caller:
    scope = SESSION.get()
    if scope is None or (scope.is_over and not scope.follows_up):
        return NOBODY
    return Caller(
        scope.number,
        Rule.CONTEXT,
        kept=scope.kept,
        is_own=runs_here(scope),
        follows_up=scope.is_over,
    )


def _host_of(url: str) -> str:
    """Return the host of an address, with its port if that is not the usual one."""
    return urlsplit(url).netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """A mocked world as a value, to be sent to another process for instance.

    Attributes:
        sessions: What is played, by number: sessions, nested ones, and what they hold beside.
        limits: What the model's server lets through.
        services: The HTTP services beside the model.
        stream: Seeds the draws of the services and endpoints.
        notes_waits: Whether to note each wait.
        sums_up_requests: Whether to sum up the requests to the model: it takes to read each twice.
        conversations: The kinds of conversations beside those that the sessions play.
        marks_texts: Whether texts begin with provenance marks.
        endpoints: The endpoints beside the model's answers that are declared.
        prefill: How the model reads prompts.
        data_flow: Notes what one session asks: in this process only.
        shared: Names of tools, services and kinds of conversations whose texts sessions share.
        limits_file: Where the state of the limits is, if the model's server is that of other
            processes, too.
    """

    sessions: Mapping[int, SessionScript]
    limits: ModelLimits
    services: tuple[ServiceSpec, ...]
    stream: str
    notes_waits: bool = False
    sums_up_requests: bool = False
    conversations: tuple[ConversationSpec, ...] = ()
    marks_texts: bool = True
    endpoints: Mapping[EndpointKind, EndpointSpec] = field(default_factory=dict)
    prefill: PrefillSpec = NO_PREFILL
    data_flow: DataFlowNotes | None = None
    shared: tuple[str, ...] = ()
    limits_file: Path | None = None

    def world(self, clock: Clock, meter: Meter | None = None) -> World:
        """Return the world on a clock; ``meter`` records its waits, if the world shares a meter."""
        if meter is None and self.notes_waits:
            meter = Meter(clock)
        return World(
            ScriptedModel(
                self.sessions,
                self.limits,
                Kinds(self.conversations),
                prefill=self.prefill,
                marks_texts=self.marks_texts,
                data_flow=self.data_flow,
                shared=self.shared,
                limits_file=self.limits_file,
            ),
            Services(self.services, self.stream),
            clock,
            Traffic(meter, RequestMeter() if self.sums_up_requests else None),
            EndpointReplies(self.endpoints, self.stream),
            data_flow=self.data_flow,
        )
