"""One turn of a conversation, from a message to its answer: a state machine that does no I/O.

Rules
-----
A turn is in one of three states, and each method belongs to one of them::

            request() ─▶ bytes for the model
            receive(answer) ─▶ the tools to run
      ┌────────────▶ MODEL ────────────┐
      │                │               │
      │ results        ▼               ▼ nothing more to do
      └───────────── TOOLS           OVER ─▶ answer
            add_results(results)

A driver repeats three steps until the turn is over: send the request to the model, pass the
answer to the turn, run the tools that the turn returns and pass on their results. A sync and
an async driver share all of the logic, which can be tested without a model, a socket or an
event loop.

Invariants:

- Each answer that asks for tools is followed by exactly one result per call, in the order of
  the calls. The API rejects any other history.
- Calls that cannot run (unknown tool, wrong arguments) are answered here; the driver sees
  only those that can.
- An answer that asks for tools in the last round ends in an error *before* they run, because
  nobody would read their results, and tools have effects.
- The conversation gets the turn as a whole when the turn is over, or never.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum

from ..errors import ConversationError, MaxRoundsError, SettingsError
from ..messages import Answer, ModelAnswer, ToolCall, ToolResult, Usage
from ..tools.invocation import Invocation
from .conversation import Block, Conversation
from .request_plan import Plan
from .wire import STREAMED, WHOLE, encode_answer, encode_result, encode_text, join_request


class State(Enum):
    """What a turn waits for."""

    MODEL = "the model's answer"
    TOOLS = "the results of tools"
    OVER = "no further step: it is over"


class Turn:
    """A message to the agent, and all that follows until the answer.

    Args:
        plan: The parts of a request that all turns of this kind share.
        conversation: The conversation that the turn belongs to; gets the turn at its end.
        message: The user's message.
        max_rounds: Calls of the model that the turn may take.

    Raises:
        SettingsError: ``max_rounds`` is below 1.
    """

    def __init__(
        self, plan: Plan, conversation: Conversation, message: str, max_rounds: int
    ) -> None:
        if max_rounds < 1:
            raise SettingsError(f"max_rounds is {max_rounds}; the model needs at least 1 round")
        self._plan = plan
        self._max_rounds = max_rounds
        self._conversation = conversation
        self._toolbox = plan.toolbox()
        self._blocks = [self._block(encode_text("user", message))]
        self._state = State.MODEL
        self._rounds = 0
        self._usage = Usage()
        self._answer: Answer | None = None
        # The last answer, encoded, and its calls in order; a call answered here is a result.
        self._asked = b""
        self._calls: list[Invocation | ToolResult] = []

    @property
    def state(self) -> State:
        """What the turn waits for."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the turn is over."""
        return self._state is State.OVER

    @property
    def answer(self) -> Answer:
        """The answer that the turn ended with."""
        if self._answer is None:
            raise ConversationError(f"this turn has no answer; it waits for {self._state.value}")
        return self._answer

    def in_use(self) -> AbstractContextManager[None]:
        """Reserve the conversation while the turn is driven.

        Raises:
            ConversationError: On entry: another turn has reserved it.
        """
        return self._conversation.in_use()

    def request(self, *, streamed: bool = False) -> bytes:
        """Return the body of the next request to the model.

        Raises:
            ContextTooLongError: The request cannot be shortened enough.
        """
        self._require(State.MODEL)
        # The model is offered the tools that its answer may call.
        self._toolbox = self._plan.toolbox()
        head, opening = self._plan.opening(self._toolbox)
        past = self._conversation.fitting(self._blocks, self._plan.tokens_left(self._toolbox))
        return join_request(head, (*opening, *past), STREAMED if streamed else WHOLE)

    def receive(self, answer: ModelAnswer) -> Sequence[Invocation]:
        """Take the model's answer.

        Returns:
            The tools to run, concurrently if the driver can. There may be none, if every call was
            invalid or there was none.

        Raises:
            MaxRoundsError: The answer asks for tools, but this was the last allowed round.
        """
        self._require(State.MODEL)
        self._rounds += 1
        self._usage += answer.usage
        self._conversation.count(answer.usage)
        return self._receive_calls(answer) if answer.tool_calls else self._receive_text(answer)

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Take the results of the tools that ``receive`` returned, in the same order."""
        if not results and self._state is not State.TOOLS:
            return  # There was no call, not even an invalid one.
        self._require(State.TOOLS)
        expected = [call.call.id for call in self._calls if isinstance(call, Invocation)]
        given = [result.call_id for result in results]
        if given != expected:
            raise ConversationError(f"got results of the calls {given}, expected {expected}")
        remaining = iter(results)
        together = [self._asked]
        for call in self._calls:
            result = call if isinstance(call, ToolResult) else next(remaining)
            together.append(encode_result(result))
        self._blocks.append(self._block(*together, tool_calls=len(self._calls)))
        self._state = State.MODEL

    def _receive_text(self, answer: ModelAnswer) -> Sequence[Invocation]:
        self._blocks.append(self._block(encode_answer(answer)))
        self._finish(answer, answer.text or "")
        return ()

    def _receive_calls(self, answer: ModelAnswer) -> Sequence[Invocation]:
        if self._rounds == self._max_rounds:
            self._state = State.OVER
            raise MaxRoundsError(self._max_rounds)
        return self._begin(answer, self._toolbox.prepare)

    def _begin(
        self, answer: ModelAnswer, prepare: Callable[[ToolCall], Invocation | ToolResult]
    ) -> Sequence[Invocation]:
        self._state = State.TOOLS
        self._asked = encode_answer(answer)
        self._calls = [prepare(call) for call in answer.tool_calls]
        return [call for call in self._calls if isinstance(call, Invocation)]

    def _finish(self, answer: ModelAnswer, text: str) -> None:
        self._state = State.OVER
        self._conversation.add(tuple(self._blocks))
        self._answer = Answer(text, self._rounds, self._usage, answer.finish_reason, answer.refusal)

    def _block(self, *messages: bytes, tool_calls: int = 0) -> Block:
        return Block.of(messages, self._plan.count_tokens, tool_calls)

    def _require(self, state: State) -> None:
        if self._state is not state:
            raise ConversationError(f"this turn is waiting for {self._state.value}")
