"""The scripted model: what it replies to a request, and when each part of the reply is due."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Lock

import msgspec
from msgspec.json import encode as to_json
from msgspec.structs import replace

from ..observe.data_flow import UNCHANGED, DataFlowNotes
from ..observe.isolation import NOTHING_HELD, HeldText
from ..scenario import NO_LIMITS, NO_PREFILL, ModelLimits, PrefillSpec
from ..scenario.faults import Effect, Fault
from ..wire.reply import Part, Reply, later, streamed_reply, whole_reply
from ..workload.marks import Mark, filler, without_marks
from ..workload.numbers import SHARED, kind_of, session_of
from ..workload.script import ModelCallScript, SessionScript, piece_times_ns
from ..workload.scripts import Scripts
from .altered_answers import altered
from .answer import Answer, Question, UnusableRequestError, WireFormat, fragments_of
from .answer_options import AS_USUAL
from .apis import Addressed, addressed, question_of
from .attempts import Attempt, Manner
from .changed_answers import changed, fitted_otherwise
from .conversations import NOBODY, Caller, Conversations, held_in, owner_of
from .fitting import CHARACTERS_PER_TOKEN, fitted, marked
from .kinds import NO_KINDS, Kinds
from .prefill import Prefill, Prompt
from .rate_limits import Admission, Admits, Capacity
from .refused import bad_request, headers_of, refusal, struck
from .schemas import Instances
from .sent import text_sent
from .shared_capacity import SharedCapacity
from .tool_results import MADE_TWICE
from .tool_uses import tool_uses_of

_OK = 200
_ASKED_AGAIN = frozenset(Manner) - {Manner.FIRST}


class ModelReply(msgspec.Struct, frozen=True):
    """The model's reply to a request.

    Attributes:
        reply: The bytes, and when they are sent.
        session: Number of the session or conversation that asked; -1 if the request is unusable.
        step: Which of its model calls this is; -1 likewise.
        is_accepted: Whether a client takes it for a proper answer.
        is_streamed: Whether the request asks for a streamed answer.
        attempt: Told how it ends; ``None`` if the request is unusable.
        held: What of the texts of sessions the request holds, if it is known to be its session's.
        wrong: What the request holds for which the real API refuses it.
    """

    reply: Reply
    session: int = -1
    step: int = -1
    is_accepted: bool = False
    is_streamed: bool = False
    attempt: Attempt | None = None
    held: HeldText | None = None
    wrong: tuple[str, ...] = ()


class ScriptedModel:
    """Answers requests from scripts; safe for threads.

    Whose a request is, and where it stands, is found by ``conversations``: in the request, and by
    who sends it. So any agent can be the target, and a retried request gets the same answer.

    Args:
        scripts: What is played, by number.
        limits: Limits of the model's server.
        kinds: The kinds of conversations.
        next_session: Returns the session that a conversation begins if nothing says whose it is.
        prefill: How it reads prompts whose tokens are counted.
        marks_texts: Whether texts begin with provenance marks.
        data_flow: Notes what requests are made of, and says which answers are changed.
        shared: Names of the kinds of conversations whose answers sessions share.
        limits_file: Where the state of the limits is, if other processes ask the same server.

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
        prefill: PrefillSpec = NO_PREFILL,
        marks_texts: bool = True,
        data_flow: DataFlowNotes | None = None,
        shared: Collection[str] = (),
        limits_file: Path | None = None,
    ) -> None:
        self._shared_kinds = frozenset(
            place for place, spec in enumerate(kinds.specs, start=1) if spec.name in shared
        )
        self._prefill_spec = prefill
        self._scripts = scripts if isinstance(scripts, Scripts) else Scripts(scripts)
        self.conversations = Conversations(self._scripts, kinds, next_session)
        self._limits = limits
        self._limits_file = limits_file
        self._marks_texts = marks_texts
        self._data_flow = data_flow
        self._lock = Lock()
        self._instances = Instances()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far, those of a warm-up for instance."""
        self.conversations.forget()
        self.tools_declared: frozenset[str] = frozenset()
        self._kept_tools: dict[tuple[int, int], Mapping[str, Mapping[str, object]]] = {}
        self._prefill = Prefill(self._prefill_spec)
        self._capacity = self._new_capacity()

    def _new_capacity(self) -> Admits | None:
        if self._limits == NO_LIMITS:
            return None
        if self._limits_file is not None:  # whoever shares it out lets it begin, for all of them
            return SharedCapacity(self._limits, self._limits_file)
        return Capacity(self._limits)

    def reply(
        self, path: str, body: bytes, now_ns: int, caller: Caller = NOBODY, query: str = ""
    ) -> ModelReply:
        """Return the reply to the body of a ``POST``.

        Args:
            path: Path of the request, which decides the API.
            body: Body of the request.
            now_ns: When the request arrives, on the clock.
            caller: Who sends it, as far as that is known.
            query: Query of the request's address, which decides it too.

        Raises:
            LookupError: The path belongs to no API of a model.
        """
        place = addressed(path, query)
        if place is None:
            raise LookupError(path)
        try:
            return self._reply(place, body, now_ns, caller)
        except UnusableRequestError as error:
            return ModelReply(bad_request(place.wire, error))

    def _reply(self, place: Addressed, body: bytes, now_ns: int, caller: Caller) -> ModelReply:
        wire = place.wire
        question = question_of(place, body)
        if question.is_kept:
            question = self._with_kept_tools(question)
        held = held_in(body)
        attempt = self.conversations.attempt(question, body, caller, held)
        prompt = self._prompt(wire, body, now_ns) if attempt.call.counts_prompt else None
        number, step, call = attempt.number, attempt.step, attempt.call
        if question.is_kept:
            self._kept_tools[number, step] = question.tools
        if not question.tools.keys() <= self.tools_declared:
            with self._lock:
                self.tools_declared |= question.tools.keys()
        if prompt is not None:
            call = prompt.read_by(call)
        fault, admission = self._met(attempt, call, now_ns)
        if admission is not None and admission.retry_after_ns is not None:
            headers = headers_of(wire, number, step)
            refused = refusal(wire, headers, admission, admission.retry_after_ns)
            return ModelReply(refused, number, step, is_streamed=question.streamed, attempt=attempt)
        flow, name = self._data_flow, wire.name
        change = UNCHANGED if flow is None else flow.model_call(number, step, name, body, now_ns)
        try:
            if kind_of(number) in self._shared_kinds:
                held = NOTHING_HELD
            answer = self._answer(
                question, attempt, call, body, prompt=prompt, held=held, draw=change.draw
            )
        except UnusableRequestError:
            attempt.ends(is_answered=False, is_given_up=False)
            raise
        reply = later(_reply(wire, question, answer, call, fault), change.later_ns)
        self._has_read(prompt, fault, admission, now_ns)
        if fault is not None:
            reply = struck(reply, fault, wire, headers_of(wire, number, step))
        if admission is not None:
            limited = {**reply.headers, **wire.limit_headers(admission.allowances)}
            reply = later(replace(reply, headers=limited), admission.queued_ns)
        is_accepted = fault is None or fault.kind.is_accepted
        return ModelReply(
            reply,
            number,
            step,
            is_accepted,
            question.streamed,
            attempt,
            held if _is_known(caller, question, number) else None,
            self._wrong(question) if question.wrong else (),
        )

    def _wrong(self, question: Question) -> tuple[str, ...]:
        """Return what is wrong with a request, without what the mock may be the reason of."""
        counts = self.conversations.counts
        if not any(counts[manner] for manner in _ASKED_AGAIN):
            return question.wrong
        return tuple(each for each in question.wrong if each not in MADE_TWICE)

    def _prompt(self, wire: WireFormat, body: bytes, now_ns: int) -> Prompt:
        """Return the prompt of a request whose tokens are counted."""
        try:
            text = text_sent(wire, without_marks(body))
        except (ValueError, RecursionError) as error:  # in what the API itself does not read
            raise UnusableRequestError(f"not a request to …/{wire.name}: {error}") from error
        return self._prefill.prompt_of(text, now_ns)

    def _has_read(
        self, prompt: Prompt | None, fault: Fault | None, admission: Admission | None, now_ns: int
    ) -> None:
        """Keep the prompt of a request that was not refused, from when it has been read."""
        is_refused = fault is not None and fault.kind.effect is Effect.REFUSED
        if prompt is not None and not is_refused:
            queued_ns = 0 if admission is None else admission.queued_ns
            self._prefill.has_read(prompt, now_ns + queued_ns + prompt.prefill_ns)

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

    def _answer(
        self,
        question: Question,
        attempt: Attempt,
        call: ModelCallScript,
        body: bytes,
        *,
        prompt: Prompt | None,
        held: HeldText,
        draw: int,
    ) -> Answer:
        number, step = attempt.number, attempt.step
        options = question.options
        tool_uses = tool_uses_of(
            call.tool_calls,
            question.tools,
            number,
            attempt.in_round,
            instances=self._instances,
            options=options,
            made=attempt.made,
        )
        attempt.lab_tools = sum(use.is_labs for use in tool_uses)
        text = mark = ""
        if not tool_uses:
            declared = self._scripts[number].text
            text = filler(call.completion_tokens * CHARACTERS_PER_TOKEN)
            if declared is not None and options.format is None:
                text = declared
            elif self._marks_texts and (text or options.format is not None):
                # The main conversation begins with the session's task.
                is_main = kind_of(number) is None
                owner = session_of(number) if is_main else owner_of(number, held.owners)
                mark = Mark(number, step, 0, owner).text
        usual = Answer(
            number,
            step,
            question.model or "",
            mark + text,
            tool_uses,
            call.prompt_tokens,
            call.completion_tokens,
            mark_characters=len(mark),
            cached_tokens=0 if prompt is None else prompt.cached_tokens,
        )
        answer = changed(usual, draw, body)
        if options is AS_USUAL:
            return answer
        free_text = marked(mark)
        if draw and options.format is not None:
            return fitted_otherwise(answer, options, self._instances, draw, free_text)
        return fitted(answer, options, self._instances, answer.tag, free_text)

    def _met(
        self, attempt: Attempt, call: ModelCallScript, now_ns: int
    ) -> tuple[Fault | None, Admission | None]:
        """Return the fault and the admission of this attempt, if there are any.

        An attempt that a limit refuses does not count: its fault strikes the next one.
        """
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
            else:
                self.conversations.counts[Manner.LIMITED] += 1
        return fault, admission


def _is_known(caller: Caller, question: Question, number: int) -> bool:
    """Return whether a request is its session's for certain, not by the texts that it holds."""
    session = session_of(number)
    if session == SHARED:
        return False
    newest = question.newest
    return caller.session == session or (
        newest is not None and session_of(newest.number) == session
    )


def _reply(
    wire: WireFormat, question: Question, answer: Answer, call: ModelCallScript, fault: Fault | None
) -> Reply:
    if fault is not None and fault.alters_answer:
        answer = altered(answer, fault)
    headers = headers_of(wire, answer.session, answer.step)
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
        {**headers, "content-type": wire.stream_type},
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
