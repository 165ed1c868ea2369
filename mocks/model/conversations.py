"""Finds for each request whose it is, in which conversation it stands, and at which place there.

**Whose it is** is said by the first of these that says it: the context of the code that asks; a
header; a mark in the request, of its session's task or of a text that the mock wrote for it. What
none of them says is work that sessions share. A task or thread that a session started, and that
sends text of one other session alone, serves that one. If it sends text of both, it is taken for
the session itself: nothing tells a batch from a mistake.

**The conversation.** A request that repeats an answer of the mock, or refers to one, goes on with
that answer's conversation, whatever else it changed. Any other begins one. The conversation whose
prompt is the session's task is its *main* one, and plays the session's script. Each other has a
number of its own, made from what the request opens with: its kind and its texts, from which the
passages that the mock wrote are cut, with the marks in them in sorted order. So the draws of a
conversation do not depend on when it is begun. Equal ones are told apart by ``attempts``.

**The place** in it is the number of answers so far. Beyond the last round, in a session, the final
answer is drawn once more; ``serve``, where a further message is a further turn, begins the rounds
anew.
"""

import re
import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from threading import Lock
from typing import Any, NamedTuple

from ..observe.isolation import NOTHING_HELD, HeldText
from ..workload.marks import marks_in, without_passages
from ..workload.numbers import SHARED, conversation_number, kind_of, session_of
from ..workload.script import ModelCallScript
from ..workload.scripts import Scripts
from .answer import Place, Question, UnusableRequestError, opening_of
from .attempts import Attempt, Manner
from .kinds import Kinds
from .tool_uses import count_calls

_MARKER = re.compile(rb"\[warpbench session (-?\d{1,18})\]")
_TASK = re.compile(r"\s*\[warpbench session (-?\d{1,18})\] Carry out the task of scenario \S+\s*")
_IDENTIFIERS = re.compile(rb'"(?:chatcmpl-|(?:call|toolu|msg|resp|fc)_)(-?\d{1,18})_(\d+)')
_MARKS = b"[warpbench session "
_LOOKED_AT = 2048
"""Bytes at each end of a long request that tell it from others at the same place."""

_TICKET = "ticket"
_KEPT_SESSIONS = 20_000
_USUAL_CALLS = 50
"""Below so many it is not looked up how many a session may make."""


def task_of(session: int, scenario: str) -> str:
    """Return the task of a session: a prompt that contains the session's marker."""
    return f"[warpbench session {session}] Carry out the task of scenario {scenario}."


class Rule(StrEnum):
    """What said whose a request is."""

    CONTEXT = "context"
    HEADER = "header"
    MARKS = "marks"
    SHARED = "shared"


class Caller(NamedTuple):
    """Who sends a request, as far as its transport knows.

    Attributes:
        session: Number of the session; ``None`` if that is not known.
        rule: What said so.
        is_retry: Whether the client says that it is a retry.
        kept: What is kept for that session as long as it runs; ``None`` if nothing is.
        is_own: Whether the session itself asks, and not a task or thread that it started.
        follows_up: Whether the session has ended, and its service works on.
    """

    session: int | None = None
    rule: Rule = Rule.SHARED
    is_retry: bool = False
    kept: dict[object, Any] | None = None
    is_own: bool = True
    follows_up: bool = False


NOBODY = Caller()


class Conversations:
    """The conversations of all sessions; safe for threads.

    Args:
        scripts: What is played.
        kinds: The kinds of conversations.
        next_session: Returns the session that a conversation begins if nothing says whose it is.
            Without it, that is work which sessions share.

    Attributes:
        counts: How many requests there were of each manner.
        rules: How many requests each rule booked.
    """

    def __init__(
        self, scripts: Scripts, kinds: Kinds, next_session: Callable[[], int] | None = None
    ) -> None:
        self._scripts = scripts
        self._kinds = kinds
        self._next_session = next_session
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget every request so far."""
        self.counts: Counter[Manner] = Counter()
        self.rules: Counter[Rule] = Counter()
        self._asked: OrderedDict[int, dict[int, Attempt]] = OrderedDict()
        # Of conversations that nothing books to a session: by what was asked, and by the opening.
        self._begun: OrderedDict[int, Attempt] = OrderedDict()
        self._opened: OrderedDict[int, int] = OrderedDict()

    def attempt(self, question: Question, body: bytes, caller: Caller, held: "HeldText") -> Attempt:
        """Return which attempt at which model call a request is.

        Args:
            question: What is asked.
            body: The body of the request.
            caller: Who sends it, as far as its transport knows.
            held: What the body holds of what the mocked world wrote.

        Raises:
            UnusableRequestError: The session made too many model calls, or there is none of that
                number.
        """
        digest = _fingerprint(body)
        with self._lock:
            found, rule = self._whose(question, body, caller, held)
            session = self._beginning(question, digest) if found is None else found
            self.rules[rule] += 1
            place = self._place(question, session, body, begins_session=found is None)
            try:
                return self._attempt_at(place, question, session, digest, caller)
            except KeyError:
                raise UnusableRequestError(f"the script has no session {session}") from None

    def _whose(
        self, question: Question, body: bytes, caller: Caller, held: "HeldText"
    ) -> tuple[int | None, Rule]:
        if caller.session is not None and caller.session in self._scripts:
            other = None if caller.is_own else self._served_by(caller.session, held)
            return (caller.session, caller.rule) if other is None else (other, Rule.MARKS)
        marked = set(_marked_sessions(body))
        if len(marked) == 1:
            return marked.pop(), Rule.MARKS
        if question.newest is not None:
            return session_of(question.newest.number), Rule.MARKS
        if len(held.owners) == 1:
            return next(iter(held.owners)), Rule.MARKS
        return (SHARED if self._next_session is None else None), Rule.SHARED

    def _served_by(self, session: int, held: "HeldText") -> int | None:
        """Return for which other session alone something works that a session started, if any.

        The one whose text a request holds, if it holds none of the session itself.
        """
        owners = held.owners
        if len(owners) != 1 or session in owners:
            return None
        (owner,) = owners
        # Sessions of the warm-up, below 0, are over: what they left is no work for them.
        return owner if owner >= min(session, 0) and owner in self._scripts else None

    def _beginning(self, question: Question, digest: int) -> int:
        """Return the session that a request begins, or that it belongs to by what it repeats."""
        begun = self._begun.get(digest)
        if begun is not None and begun.may_be_retried:
            return session_of(begun.number)
        opening = _digest(list(opening_of(question)))
        if question.answers and opening in self._opened:
            return self._opened[opening]
        assert self._next_session is not None
        session = self._opened[opening] = self._next_session()
        _keep_newest(self._opened)
        return session

    def _place(
        self, question: Question, session: int, body: bytes, *, begins_session: bool
    ) -> Place:
        """Return where a request stands, before it is told from its equals."""
        newest = question.newest
        if newest is not None and session_of(newest.number) != session:
            newest = _newest_of(session, body)  # it holds somebody else's answers as well
            if newest is None:
                return Place(self._number(question, session, begins_session=False), 0)
        if newest is not None:
            return Place(newest.number, newest.step + 1 + question.answers)
        number = self._number(question, session, begins_session=begins_session)
        return Place(number, question.answers)

    def _number(self, question: Question, session: int, *, begins_session: bool) -> int:
        """Return the number of the conversation that a request begins."""
        opening = list(opening_of(question))
        kind = self._kinds.of(question.model or "", opening, question.tools)
        if not kind:
            main = session if begins_session else _main_of(session, opening, question)
            if main is not None:
                return main
        return conversation_number(session, kind, _digest(opening))

    def _attempt_at(
        self, place: Place, question: Question, session: int, digest: int, caller: Caller
    ) -> Attempt:
        asked = self._asked_by(session, caller)
        equal = asked.get(digest)
        if equal is not None:
            for each in equal.all_equal():
                if each.may_be_retried or caller.is_retry:
                    each.begins_again()
                    self.counts[Manner.RETRY] += 1
                    return each
        made = len(asked) if equal is None else max(len(asked), len(equal.all_equal()))
        if made >= _USUAL_CALLS and session != SHARED:
            self._require_fewer(made, session)
        played = self._played(place, question)
        if equal is None:
            attempt = asked[digest] = Attempt(*played)
        else:
            ordinal = len(equal.all_equal())
            call = self._scripts.sample(played.number, played.in_round, ordinal, played.call)
            attempt = equal.beside(call, self.counts)
        self.counts[attempt.manner] += 1
        if self._next_session is not None:
            self._begun[digest] = attempt
            _keep_newest(self._begun)
        return attempt

    def _asked_by(self, session: int, caller: Caller) -> dict[int, Attempt]:
        """Return what a session has asked so far, by the digest of the request."""
        kept = caller.kept
        if kept is not None and caller.session == session:
            asked: dict[int, Attempt] | None = kept.get(self)
            if asked is None:
                asked = kept[self] = {}
            return asked
        asked = self._asked.get(session)
        if asked is None:
            asked = self._asked[session] = {}
            _keep_newest(self._asked)
        else:
            self._asked.move_to_end(session)
        return asked

    def _require_fewer(self, made: int, session: int) -> None:
        most = self._scripts.most_model_calls(session)
        if made >= most:
            raise UnusableRequestError(
                f"the session made more than {most} model calls; if that is meant, say "
                "max_model_calls in the scenario"
            )

    def _played(self, place: Place, question: Question) -> "_Played":
        """Return what is played at a place, in this turn or a later one."""
        number, step = place
        calls: Sequence[ModelCallScript] = self._scripts[number].model_calls
        if not question.may_ask_for_tools:
            calls = [call for call in calls if not call.tool_calls]
        elif question.options.is_one_call:
            found = self._one_at_a_time(number, step, calls, question)
            if found is not None:
                return found
            step -= sum(_answers_of(call, question) - 1 for call in calls)
        if step < len(calls):
            return _Played(number, step, calls[step], step, 0)
        if self._next_session is None:
            return _Played(number, place.step, self._scripts.again(number, step), step, 0)
        return self._played(Place(_next_turn(number, step), 0), question)

    def _one_at_a_time(
        self, number: int, step: int, calls: Sequence[ModelCallScript], question: Question
    ) -> "_Played | None":
        """Return what is played at a place where each answer asks for one tool at most.

        A model call of the script is then as many answers as it has tools, each with a latency of
        its own. ``None`` if the place is beyond the last.
        """
        made = step
        for in_round, call in enumerate(calls):
            answers = _answers_of(call, question)
            if made < answers:
                # Samples of equal requests count from 1 on.
                drawn = self._scripts.sample(number, in_round, -made, call) if made else call
                return _Played(number, step, drawn, in_round, made)
            made -= answers
        return None


class _Played(NamedTuple):
    """What is played to a request; see ``Attempt``."""

    number: int
    step: int
    call: ModelCallScript
    in_round: int
    made: int


def _answers_of(call: ModelCallScript, question: Question) -> int:
    """Return how many answers ask for the tools of a model call, one each."""
    return max(1, count_calls(call.tool_calls, question.tools, question.options))


def _fingerprint(body: bytes) -> int:
    """Return what tells a request from others at the same place, at a price that does not grow."""
    ends = body if len(body) <= 2 * _LOOKED_AT else body[:_LOOKED_AT] + body[-_LOOKED_AT:]
    return zlib.crc32(ends, len(body))


def _marked_sessions(body: bytes) -> Iterator[int]:
    """Yield the sessions whose tasks a request carries."""
    at = body.find(_MARKS)
    while at >= 0:
        marker = _MARKER.match(body, at)
        if marker is not None:
            yield session_of(int(marker[1]))
        at = body.find(_MARKS, at + 1)


def held_in(text: bytes) -> HeldText:
    """Return what a text holds of what the mocked world wrote: tasks, and texts with marks."""
    owners, public = {*_marked_sessions(text)}, []
    for mark in marks_in(text):
        if mark.owner is None:
            public.append(mark)
        else:
            owners.add(mark.owner)
    return HeldText(frozenset(owners), frozenset(public)) if owners or public else NOTHING_HELD


def owner_of(number: int, owners: frozenset[int]) -> int | None:
    """Return the session whose text an output is; ``None`` if it is nobody's.

    Args:
        number: What the output is booked to.
        owners: The sessions whose text the request holds that asked for it.
    """
    session = session_of(number)
    if session in owners:
        return session
    return next(iter(owners)) if len(owners) == 1 else None


def _keep_newest(kept: "OrderedDict[int, Any]") -> None:
    if len(kept) > _KEPT_SESSIONS:
        kept.popitem(last=False)


def _main_of(session: int, opening: Sequence[tuple[str, str]], question: Question) -> int | None:
    """Return the session whose main conversation an opening begins, if it does."""
    takes_labs_tools = any(_takes_ticket(schema) for schema in question.tools.values())
    for role, text in reversed(opening):
        if role != "user":
            continue
        whole = _TASK.fullmatch(text)
        if whole is not None and session_of(int(whole[1])) == session:
            return int(whole[1])
        if takes_labs_tools:
            for marker in _MARKER.finditer(text.encode(errors="replace")):
                if session_of(int(marker[1])) == session:
                    return int(marker[1])
    return None


def _takes_ticket(schema: object) -> bool:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return isinstance(properties, dict) and _TICKET in properties


def _newest_of(session: int, body: bytes) -> Place | None:
    """Return the newest answer of a session that a request holds among those of others."""
    newest: Place | None = None
    for found in _IDENTIFIERS.finditer(body):
        number = int(found[1])
        if session_of(number) == session:
            newest = Place(number, int(found[2]))
    for mark in marks_in(body):
        if not mark.part and session_of(mark.number) == session:
            place = Place(mark.number, mark.step)
            if newest is None or newest.number != place.number or newest.step < place.step:
                newest = place
    return newest


def _digest(opening: Sequence[tuple[str, str]]) -> int:
    written = "\n".join(f"{role}: {text}" for role, text in opening).encode(errors="replace")
    marks = sorted(mark.text for mark in marks_in(written))
    if marks:
        written = without_passages(written) + repr(marks).encode()
    return zlib.crc32(written)


def _next_turn(number: int, step: int) -> int:
    """Number the turn of a conversation that begins at a step."""
    kind = kind_of(number) or 0
    digest = zlib.crc32(f"{number}/turn/{step}".encode())
    return conversation_number(session_of(number), kind, digest)
