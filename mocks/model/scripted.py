"""The scripted model: what it replies to a request, and when each part of the reply is due."""

import re
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
from ..workload.script import ModelCallScript, SessionScript, piece_times_ns
from .altered_answers import altered
from .answer import Answer, Question, UnusableRequestError, WireFormat, fragments_of
from .anthropic_messages import MESSAGES
from .openai_chat import CHAT_COMPLETIONS
from .openai_responses import RESPONSES
from .rate_limits import Admission, Capacity
from .tool_uses import tool_uses_of

WIRE_FORMATS = (CHAT_COMPLETIONS, RESPONSES, MESSAGES)

_MARKER = re.compile(rb"\[warpbench session (-?\d{1,18})\]")
_OK = 200
_BAD_REQUEST = 400
_TOO_MANY_REQUESTS = 429
_CHARACTERS_PER_TOKEN = 4
_FILLER = "lorem ipsum dolor sit amet, " * 4096
_JSON = MappingProxyType({"content-type": "application/json"})
_EVENTS = MappingProxyType({"content-type": "text/event-stream; charset=utf-8"})
_SECOND_NS = 1_000_000_000


def task_of(session: int, scenario: str) -> str:
    """Return the task of a session: a prompt that contains the session's marker."""
    return f"[warpbench session {session}] Carry out the task of scenario {scenario}."


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
        session: Number of the session that asked; -1 if the request does not say.
        step: Which model call of that session this is; -1 if the script has no such call.
        is_accepted: Whether a client takes it for a proper answer.
        is_streamed: Whether the request asks for a streamed answer.
    """

    reply: Reply
    session: int = -1
    step: int = -1
    is_accepted: bool = False
    is_streamed: bool = False


class ScriptedModel:
    """Answers requests from a script; safe for threads.

    The model finds session and step in the request alone: the session by a marker in the
    prompt, the step from the answers that the request repeats. So any agent can be the
    target, and a retried request gets the same answer after the same wait.

    Args:
        sessions: The sessions by number, including nested ones.
        limits: Limits of the model's server.
        session_of_prompt: Returns the session of a conversation without a marker, by its first
            message. Without this function, such a request is refused.

    Attributes:
        tools_declared: Names of the tools that any request declared.
    """

    def __init__(
        self,
        sessions: Mapping[int, SessionScript],
        limits: ModelLimits = NO_LIMITS,
        session_of_prompt: Callable[[str], int] | None = None,
    ) -> None:
        self._session_of_prompt = session_of_prompt
        self._sessions = sessions
        self._limits = limits
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far, those of a warm-up for instance."""
        self.tools_declared: frozenset[str] = frozenset()
        self._attempts: dict[tuple[int, int], int] = {}
        self._kept_tools: dict[tuple[int, int], Mapping[str, Mapping[str, object]]] = {}
        self._capacity = None if self._limits == NO_LIMITS else Capacity(self._limits)

    def reply(self, path: str, body: bytes, now_ns: int) -> ModelReply:
        """Return the reply to the body of a ``POST``.

        Args:
            path: Path of the request, which decides the API.
            body: Body of the request.
            now_ns: When the request arrives, on the clock.

        Raises:
            LookupError: The path belongs to no API of a model.
        """
        wire = wire_format_of(path)
        if wire is None:
            raise LookupError(path)
        try:
            question = _read(wire, body)
            session, call = self._call(question, body)
            if question.is_kept:
                question = self._with_kept_tools(question, session)
        except UnusableRequestError as error:
            problem = to_json(wire.error(_BAD_REQUEST, f"warpbench: {error}"))
            return ModelReply(whole_reply(_BAD_REQUEST, _JSON, problem, 0))
        step = question.step
        if not question.tools.keys() <= self.tools_declared:
            with self._lock:
                self.tools_declared |= question.tools.keys()
        fault, admission = self._met(session, step, call, now_ns)
        if admission is not None and admission.retry_after_ns is not None:
            headers = _headers_of(wire, session, step)
            refusal = _refusal(wire, headers, admission, admission.retry_after_ns)
            return ModelReply(refusal, session, step, is_streamed=question.streamed)
        reply = _reply(wire, question, session, call, fault)
        if fault is not None and not fault.alters_answer:
            reply = failed(
                reply,
                fault,
                _headers_of(wire, session, step),
                lambda status, message: to_json(wire.error(status, message)),
            )
        if admission is not None:
            limited = {**reply.headers, **wire.limit_headers(admission.allowances)}
            reply = later(replace(reply, headers=limited), admission.queued_ns)
        is_accepted = fault is None or fault.kind.is_accepted
        return ModelReply(reply, session, step, is_accepted, question.streamed)

    def _call(self, question: Question, body: bytes) -> tuple[int, ModelCallScript]:
        """Return the session that asks, and its model call in the script."""
        marker = _MARKER.search(body)
        session = question.session if marker is None else int(marker[1])
        if session is None:
            if self._session_of_prompt is None:
                raise UnusableRequestError(
                    "no session marker in the prompt; pass the task on unchanged"
                )
            session = self._session_of_prompt(question.prompt)
        try:
            script = self._sessions[session]
        except KeyError:
            raise UnusableRequestError(f"the script has no session {session}") from None
        if question.step >= len(script.model_calls):
            raise UnusableRequestError(
                f"session {session} has {len(script.model_calls)} model calls in the script; "
                f"this request holds {question.step} answers already"
            )
        return session, script.model_calls[question.step]

    def _with_kept_tools(self, question: Question, session: int) -> Question:
        """Keep the tools of a conversation that the server keeps, or return the question with them.

        They are kept for each answer: a request that is repeated continues from the same one.
        """
        tools = question.tools
        if question.session is not None:
            kept = self._kept_tools.get((session, question.step - 1))
            if kept is None:
                raise UnusableRequestError("the conversation that it continues is not known here")
            tools = kept
        self._kept_tools[session, question.step] = tools
        return replace(question, tools=tools)

    def _met(
        self, session: int, step: int, call: ModelCallScript, now_ns: int
    ) -> tuple[Fault | None, Admission | None]:
        """Return the fault and the admission of this attempt, if there are any.

        An attempt that a limit refuses does not count: its fault strikes the next one.
        """
        if not call.faults and self._capacity is None:
            return None, None
        with self._lock:
            attempt = self._attempts.get((session, step), 0)
            fault = call.faults[attempt] if attempt < len(call.faults) else None
            admission = None
            # A request that fails on arrival takes nothing of the limits.
            refused = fault is not None and fault.kind.effect is Effect.REFUSED
            if self._capacity is not None and not refused:
                tokens = call.prompt_tokens + call.completion_tokens
                admission = self._capacity.admit(now_ns, tokens, call.latency_ns)
            if admission is None or admission.retry_after_ns is None:
                self._attempts[session, step] = attempt + 1
        return fault, admission


def _read(wire: WireFormat, body: bytes) -> Question:
    try:
        return wire.read(body)
    except (ValueError, RecursionError) as error:
        raise UnusableRequestError(f"not a request to …{wire.path}: {error}") from error


def _headers_of(wire: WireFormat, session: int, step: int) -> dict[str, str]:
    """Return the headers of every answer: content type, and the name of the request."""
    return _JSON | {wire.request_id_header: f"req_{session}_{step}"}


def _reply(
    wire: WireFormat, question: Question, session: int, call: ModelCallScript, fault: Fault | None
) -> Reply:
    tool_uses = tool_uses_of(call.tool_calls, question.tools, session, question.step)
    text = "" if tool_uses else _FILLER[: call.completion_tokens * _CHARACTERS_PER_TOKEN]
    answer = Answer(
        session,
        question.step,
        question.model,
        text,
        tool_uses,
        call.prompt_tokens,
        call.completion_tokens,
    )
    if fault is not None and fault.alters_answer:
        answer = altered(answer, fault)
    headers = _headers_of(wire, session, question.step)
    if not question.streamed:
        return whole_reply(
            _OK,
            headers,
            to_json(wire.whole(answer)),
            call.latency_ns,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
        )
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
                int(event.has_tokens),
            )
            for event in wire.stream(answer, fragments, question.counts_usage)
        ),
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
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
