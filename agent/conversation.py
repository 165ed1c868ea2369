"""A conversation between a task, a model and its tools: a state machine that does no I/O.

Rules
-----
A conversation is in one of three states, and each method belongs to one of them::

            request() ─▶ bytes for the model
            receive(answer)
      ┌────────────▶ MODEL ────────────┐
      │                │ calls         │ no calls
      │ results        ▼               ▼
      └───────────── TOOLS           OVER
            add_results(results)

Whoever holds one asks it for the request, puts that to the model, hands back the answer,
runs the calls that it is given, hands back their results, and so on until it is given an
``Answer``. That is all a driver does, so a sync and an async driver share everything that is
worth testing, and it can be tested without a model, a socket or an event loop.

What holds at all times:

- Each answer that asks for tools is followed by exactly one result per call, in the order of
  the calls. The API rejects a history in which it is not so.
- Calls that cannot run (unknown tool, wrong arguments) are answered here; the driver sees
  only those that can.
- An answer that asks for tools in the last round ends in an error *before* they run: nobody
  would read their results, and tools have effects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from .errors import ConversationError, MaxRoundsError, SettingsError
from .messages import Answer, ModelAnswer, ToolResult, Usage
from .registry import Invocation, Tool, Toolbox
from .wire import encode_answer, encode_head, encode_result, encode_text, join_request


@dataclass(frozen=True, slots=True)
class Plan:
    """What all conversations of one agent have in common, encoded once.

    Attributes:
        head: The request up to its first message: model and tools.
        opening: The messages that come before the task.
        toolbox: The tools.
        max_rounds: Calls of the model that one conversation may take.
    """

    head: bytes
    opening: tuple[bytes, ...]
    toolbox: Toolbox
    max_rounds: int

    @classmethod
    def of(
        cls, *, model: str, instructions: str | None, tools: Iterable[Tool], max_rounds: int
    ) -> "Plan":
        """Check the settings of an agent and encode what never changes.

        Raises:
            SettingsError: ``max_rounds`` is below 1.
            ToolDefinitionError: A tool is not usable.
        """
        if max_rounds < 1:
            raise SettingsError(f"max_rounds is {max_rounds}; the model needs at least 1 round")
        toolbox = Toolbox(tools)
        opening = () if instructions is None else (encode_text("system", instructions),)
        return cls(encode_head(model, toolbox.schemas), opening, toolbox, max_rounds)


class State(Enum):
    """Whose turn it is."""

    MODEL = "the model's answer"
    TOOLS = "the results of tools"
    OVER = "nothing: it is over"


class Conversation:
    """One session: what was said so far, and what has to happen next.

    Args:
        plan: What the conversation shares with all others of its agent.
        task: What the user wants.
    """

    def __init__(self, plan: Plan, task: str) -> None:
        self._plan = plan
        self._messages = [*plan.opening, encode_text("user", task)]
        self._state = State.MODEL
        self._rounds = 0
        self._usage = Usage()
        # The calls of the last answer, in order; those answered here are results already.
        self._calls: list[Invocation | ToolResult] = []

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._state

    def request(self) -> bytes:
        """Give the body of the next request to the model."""
        self._require(State.MODEL)
        return join_request(self._plan.head, self._messages)

    def receive(self, answer: ModelAnswer) -> Answer | Sequence[Invocation]:
        """Take the model's answer.

        Returns:
            The end, or the tools to run: all at once if the driver can. There may be none to
            run, if every call was wrong; ``add_results`` is due all the same.

        Raises:
            MaxRoundsError: The answer asks for tools, but it was the last one allowed.
        """
        self._require(State.MODEL)
        self._rounds += 1
        self._usage += answer.usage
        if not answer.tool_calls:
            self._state = State.OVER
            return Answer(
                answer.text or "", self._rounds, self._usage, answer.finish_reason, answer.refusal
            )
        if self._rounds == self._plan.max_rounds:
            self._state = State.OVER
            raise MaxRoundsError(self._plan.max_rounds)
        self._state = State.TOOLS
        self._messages.append(encode_answer(answer))
        self._calls = [self._plan.toolbox.prepare(call) for call in answer.tool_calls]
        return [call for call in self._calls if isinstance(call, Invocation)]

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Take the results of the tools that ``receive`` gave out, in the same order."""
        self._require(State.TOOLS)
        expected = [call.call_id for call in self._calls if isinstance(call, Invocation)]
        given = [result.call_id for result in results]
        if given != expected:
            raise ConversationError(f"got results of the calls {given}, expected {expected}")
        remaining = iter(results)
        for call in self._calls:
            result = call if isinstance(call, ToolResult) else next(remaining)
            self._messages.append(encode_result(result))
        self._state = State.MODEL

    def _require(self, state: State) -> None:
        if self._state is not state:
            raise ConversationError(f"this conversation is waiting for {self._state.value}")
