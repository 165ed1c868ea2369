"""Notes of what the requests of one session are made of; and which outputs are changed on purpose.

Whatever a session asks (of the model, a lab's tool, a service) is noted with the earlier outputs
that it holds: their provenance marks, and the identifiers of answers and tool calls. A trial that
looks for what a session needs runs it again with one output changed, which is named by the content
of the request that it answers.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..workload.marks import marks_in, without_marks
from ..workload.numbers import session_of
from .session import session_here
from .waits import WaitKind

_IDENTIFIERS = re.compile(
    rb"(?:chatcmpl-|(?:call|toolu|msg|resp|fc)_)(-?\d{1,18})_(\d{1,9})(?:_(\d{1,9}))?"
)
_DIGEST_BYTES = 16


class Output(NamedTuple):
    """An output of the mocked world, as a provenance mark names it.

    Attributes:
        number: The number of what plays the script.
        step: Which of its model calls.
        part: 0 is the model's answer, from 1 on the results of the tool calls in it.
    """

    number: int
    step: int
    part: int = 0


class Change(NamedTuple):
    """How an output is changed on purpose.

    Attributes:
        draw: Which of several other contents it has, from 1 on; 0 leaves it as it is.
        later_ns: How much later it is there.
    """

    draw: int = 0
    later_ns: int = 0


UNCHANGED = Change()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the session, or one call of a lab's tool.

    Attributes:
        kind: What was asked: the model, a tool, or a service.
        number: As ``Wait.session`` has it; of a service, the session.
        step: As ``Wait`` has it, as are the next three.
        index: Number of the tool call.
        name: Name of the tool or host.
        start_ns: When it was asked, on the clock.
        holds: The earlier outputs that it holds, each once, in the order in which they appear.
        content: A digest of all of it but the marks.
        places: The lines of the user's code that asked, the innermost first.
    """

    kind: WaitKind
    number: int
    step: int
    index: int | None
    name: str
    start_ns: int
    holds: tuple[Output, ...]
    content: bytes
    places: tuple[str, ...] = ()


class DataFlowNotes:
    """Notes what one session asks; safe for threads.

    Args:
        session: Number of the session.
        callers: Returns the lines of the user's code that are calling, the innermost first.

    Attributes:
        asked: What was asked so far, in its order.
        changes: Which outputs are changed, by the content of the request that they answer.
    """

    def __init__(self, session: int, callers: Callable[[], tuple[str, ...]]) -> None:
        self._session = session
        self._callers = callers
        self.changes: Mapping[bytes, Change] = {}
        self.forget()

    def forget(self) -> None:
        """Forget what was asked so far, in a warm-up for instance."""
        self.asked: list[Asked] = []

    def model_call(self, number: int, step: int, path: str, body: bytes, now_ns: int) -> Change:
        """Note a request to the model; return how its answer is changed."""
        text = b"%b\n%b" % (path.encode(), body)
        return self._note(WaitKind.MODEL, (number, step, None), "", now_ns, text)

    def tool_call(
        self, at: tuple[int, int, int], name: str, arguments: Mapping[str, object], now_ns: int
    ) -> Change:
        """Note a call of a lab's tool, of which the answer at its place asked."""
        text = f"{name}\n{sorted(arguments.items())}".encode(errors="replace")
        asked_by = Output(at[0], at[1])
        return self._note(WaitKind.TOOL, at, name, now_ns, text, asked_by)

    def service_call(self, name: str, method: str, url: str, body: bytes, now_ns: int) -> Change:
        """Note a request to a service, if the session's code makes it."""
        text = b"%b %b\n%b" % (method.encode(), url.encode(errors="replace"), body)
        session = session_here()
        if session is None:
            return UNCHANGED
        return self._note(WaitKind.SERVICE, (session, -1, None), name, now_ns, text)

    def _note(
        self,
        kind: WaitKind,
        at: tuple[int, int, int | None],
        name: str,
        now_ns: int,
        text: bytes,
        *held: Output,
    ) -> Change:
        number, step, index = at
        if number < 0 or session_of(number) != self._session:
            return UNCHANGED
        holds = tuple(dict.fromkeys((*held, *_outputs_in(text))))
        content = hashlib.blake2b(without_marks(text), digest_size=_DIGEST_BYTES).digest()
        asked = Asked(kind, number, step, index, name, now_ns, holds, content, self._callers())
        self.asked.append(asked)
        return self.changes.get(content, UNCHANGED)


def _outputs_in(text: bytes) -> Iterator[Output]:
    for mark in marks_in(text):
        yield Output(mark.number, mark.step, mark.part)
    for found in _IDENTIFIERS.finditer(text):
        number, step = int(found[1]), int(found[2])
        yield Output(number, step)
        if found[3] is not None:
            yield Output(number, step, 1 + int(found[3]))
