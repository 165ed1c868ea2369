"""The scripted model: what it replies to a request, and when each part of the reply is due."""

from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType

import msgspec
from msgspec.json import encode as to_json
from msgspec.structs import replace

from ..scenario import NO_LIMITS, ModelLimits
from ..scenario.faults import Effect, Fault
from ..wire.broken_replies import failed
from ..wire.reply import Part, Reply, later, streamed_reply, whole_reply
from ..workload.marks import Mark, filler
from ..workload.script import ModelCallScript, SessionScript, piece_times_ns
from ..workload.scripts import Scripts
from .altered_answers import altered
from .answer import Answer, Question, UnusableRequestError, WireFormat, fragments_of
from .answer_options import AS_USUAL
from .anthropic_messages import MESSAGES
from .attempts import Attempt
from .conversations import NOBODY, Caller, Conversations, carries_text_of
from .fitting import CHARACTERS_PER_TOKEN, fitted, marked
from .kinds import NO_KINDS, Kinds
from .openai_chat import CHAT_COMPLETIONS
from .openai_responses import RESPONSES
from .rate_limits import Admission, Capacity
from .schemas import Instances
from .tool_uses import tool_uses_of

WIRE_FORMATS = (CHAT_COMPLETIONS, RESPONSES, MESSAGES)

_OK = 200
_BAD_REQUEST = 400
_TOO_MANY_REQUESTS = 429
_JSON = MappingProxyType({"content-type": "application/json"})
_EVENTS = MappingProxyType({"content-type": "text/event-stream; charset=utf-8"})
_SECOND_NS = 1_000_000_000


def wire_format_of(path: str) -> WireFormat | None:
    """Return the API at a path; ``None`` if the path belongs to no API of a model."""
    for wire in WIRE_FORMATS:
        if path.endswith(wire.path):
            return wire
    return None


class ModelReply(msgspec.Struct, frozen=True):
    """The model's reply to a request.

    Attributes:
        reply: The bytes, and when they are sent.
        session: Number of the session or conversation that asked; -1 if the request is unusable.
        step: Which of its model calls this is; -1 likewise.
        is_accepted: Whether a client takes it for a proper answer.
        is_streamed: Whether the request asks for a streamed answer.
        attempt: Told how it ends; ``None`` if the request is unusable.
    """

    reply: Reply
    session: int = -1
    step: int = -1
    is_accepted: bool = False
    is_streamed: bool = False
    attempt: Attempt | None = None


class ScriptedModel:
    """Answers requests from scripts; safe for threads.

    Whose a request is, and where it stands, is found by ``conversations``: in the request, and by
    who sends it. So any agent can be the target, and a retried request gets the same answer.

    Args:
        scripts: What is played, by number.
        limits: Limits of the model's server.
        kinds: The kinds of conversations.
        next_session: Returns the session that a conversation begins if nothing says whose it is.
        marks_texts: Whether texts begin with provenance marks.

    Attributes:
        conversations: Those of all sessions.
        tools_declared: Names of the tools that any request declared.
    """

    def __init__(
        self,
        scripts: Mapping[int, SessionScript],
        limits: ModelLimits = NO_LIMITS,
        kinds: Kinds = NO_KINDS,
        next_session: Callable[[], int] | None = None,
        *,
        marks_texts: bool = True,
    ) -> None:
        self._scripts = scripts if isinstance(scripts, Scripts) else Scripts(scripts)
        self.conversations = Conversations(self._scripts, kinds, next_session)
        self._limits = limits
        self._marks_texts = marks_texts
        self._lock = Lock()
        self._instances = Instances()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far, those of a warm-up for instance."""
        self.conversations.forget()
        self.tools_declared: frozenset[str] = frozenset()
        self._kept_tools: dict[tuple[int, int], Mapping[str, Mapping[str, object]]] = {}
        self._capacity = None if self._limits == NO_LIMITS else Capacity(self._limits)

    def reply(self, path: str, body: bytes, now_ns: int, caller: Caller = NOBODY) -> ModelReply:
        """Return the reply to the body of a ``POST``.

        Args:
            path: Path of the request, which decides the API.
            body: Body of the request.
            now_ns: When the request arrives, on the clock.
            caller: Who sends it, as far as that is known.

        Raises:
            LookupError: The path belongs to no API of a model.
        """
        wire = wire_format_of(path)
        if wire is None:
            raise LookupError(path)
        try:
            question = _read(wire, body)
            if question.is_kept:
                question = self._with_kept_tools(question)
            attempt = self.conversations.attempt(question, body, caller)
        except UnusableRequestError as error:
            return _bad_request(wire, error)
        number, step, call = attempt.number, attempt.step, attempt.call
        if question.is_kept:
            self._kept_tools[number, step] = question.tools
        if not question.tools.keys() <= self.tools_declared:
            with self._lock:
                self.tools_declared |= question.tools.keys()
        fault, admission = self._met(attempt, now_ns)
        if admission is not None and admission.retry_after_ns is not None:
            headers = _headers_of(wire, number, step)
            refusal = _refusal(wire, headers, admission, admission.retry_after_ns)
            return ModelReply(refusal, number, step, is_streamed=question.streamed, attempt=attempt)
        try:
            answer = self._answer(question, attempt, body)
        except UnusableRequestError as error:
            return _bad_request(wire, error)
        reply = _reply(wire, question, answer, call, fault)
        if fault is not None and not fault.alters_answer:
            reply = failed(
                reply,
                fault,
                _headers_of(wire, number, step),
                lambda status, message: to_json(wire.error(status, message)),
            )
        if admission is not None:
            limited = {**reply.headers, **wire.limit_headers(admission.allowances)}
            reply = later(replace(reply, headers=limited), admission.queued_ns)
        is_accepted = fault is None or fault.kind.is_accepted
        return ModelReply(reply, number, step, is_accepted, question.streamed, attempt)

    def _with_kept_tools(self, question: Question) -> Question:
        """Return the question with the tools of the conversation that the server keeps.

        They are kept for each answer: a request that is repeated continues from the same one.
        """
        if question.newest is None:
            return question
        kept = self._kept_tools.get(question.newest)
        if kept is None:
            raise UnusableRequestError("the conversation that it continues is not known here")
        return replace(question, tools=kept)

    def _answer(self, question: Question, attempt: Attempt, body: bytes) -> Answer:
        number, step, call = attempt.number, attempt.step, attempt.call
        options = question.options
        tool_uses = tool_uses_of(
            call.tool_calls,
            question.tools,
            number,
            step,
            instances=self._instances,
            options=options,
        )
        attempt.lab_tools = sum(use.is_labs for use in tool_uses)
        text = mark = ""
        if not tool_uses:
            declared = self._scripts[number].text
            text = filler(call.completion_tokens * CHARACTERS_PER_TOKEN)
            if declared is not None and options.format is None:
                text = declared
            elif self._marks_texts and (text or options.format is not None):
                mark = Mark(number, step, 0, carries_text_of(number, body)).text
        answer = Answer(
            number,
            step,
            question.model,
            mark + text,
            tool_uses,
            call.prompt_tokens,
            call.completion_tokens,
            len(mark),
        )
        if options is AS_USUAL:
            return answer
        return fitted(answer, options, self._instances, answer.tag, marked(mark))

    def _met(self, attempt: Attempt, now_ns: int) -> tuple[Fault | None, Admission | None]:
        """Return the fault and the admission of this attempt, if there are any.

        An attempt that a limit refuses does not count: its fault strikes the next one.
        """
        call = attempt.call
        if not call.faults and self._capacity is None:
            return None, None
        with self._lock:
            fault = call.faults[attempt.tries] if attempt.tries < len(call.faults) else None
            admission = None
            # A request that fails on arrival takes nothing of the limits.
            refused = fault is not None and fault.kind.effect is Effect.REFUSED
            if self._capacity is not None and not refused:
                tokens = call.prompt_tokens + call.completion_tokens
                admission = self._capacity.admit(now_ns, tokens, call.latency_ns)
            if admission is None or admission.retry_after_ns is None:
                attempt.tries += 1
        return fault, admission


def _read(wire: WireFormat, body: bytes) -> Question:
    try:
        return wire.read(body)
    except (ValueError, RecursionError) as error:
        raise UnusableRequestError(f"not a request to …{wire.path}: {error}") from error


def _bad_request(wire: WireFormat, error: UnusableRequestError) -> ModelReply:
    problem = to_json(wire.error(_BAD_REQUEST, f"warpbench: {error}"))
    return ModelReply(whole_reply(_BAD_REQUEST, _JSON, problem, 0))


def _headers_of(wire: WireFormat, session: int, step: int) -> dict[str, str]:
    """Return the headers of every answer: content type, and the name of the request."""
    return _JSON | {wire.request_id_header: f"req_{session}_{step}"}


def _reply(
    wire: WireFormat, question: Question, answer: Answer, call: ModelCallScript, fault: Fault | None
) -> Reply:
    if fault is not None and fault.alters_answer:
        answer = altered(answer, fault)
    headers = _headers_of(wire, answer.session, answer.step)
    if not question.streamed:
        return whole_reply(_OK, headers, to_json(wire.whole(answer)), call.latency_ns)
    fragments = fragments_of(answer, call.pieces)
    times_ns = piece_times_ns(call)
    last_fragment, last_piece = max(1, fragments.count - 1), len(times_ns) - 1
    return streamed_reply(
        {**headers, **_EVENTS},
        (
            Part(
                times_ns[last_piece]
                if event.fragment is None
                else times_ns[event.fragment * last_piece // last_fragment],
                event.data,
            )
            for event in wire.stream(answer, fragments, question.counts_usage)
        ),
    )


def _refusal(
    wire: WireFormat, headers: Mapping[str, str], admission: Admission, retry_after_ns: int
) -> Reply:
    limited = {
        **headers,
        **wire.limit_headers(admission.allowances),
        "retry-after": str(-(-retry_after_ns // _SECOND_NS)),
        "retry-after-ms": str(-(-retry_after_ns // 1_000_000)),
    }
    error = wire.error(_TOO_MANY_REQUESTS, "warpbench: the scenario's rate limit is reached")
    return whole_reply(_TOO_MANY_REQUESTS, limited, to_json(error), 0)
