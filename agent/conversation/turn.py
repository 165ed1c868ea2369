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

Whoever drives one repeats three lines until it is over: put the request to the model, hand
back its answer, run the tools that this gives out and hand back their results. A sync and an
async driver share everything that is worth testing, and it can be tested without a model, a
socket or an event loop.

What holds at all times:

- Each answer that asks for tools is followed by exactly one result per call, in the order of
  the calls. The API rejects a history in which it is not so.
- Calls that cannot run (unknown tool, wrong arguments) are answered here; the driver sees
  only those that can.
- An answer that asks for tools in the last round ends in an error *before* they run: nobody
  would read their results, and tools have effects.
- The conversation gets the turn when it is over, whole, or never.
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
    """Whose turn it is."""

    MODEL = "the model's answer"
    TOOLS = "the results of tools"
    OVER = "nothing: it is over"


class Turn:
    """A message to the agent, and all that follows until its answer.

    Args:
        plan: What the turn shares with all others of its kind.
        conversation: Whose turn it is; gets it at its end.
        message: What the user says.
        max_rounds: Calls of the model that it may take.

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
        # The last answer, encoded, and its calls in order; those answered here are results.
        self._asked = b""
        self._calls: list[Invocation | ToolResult] = []

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do."""
        return self._state is State.OVER

    @property
    def answer(self) -> Answer:
        """The end of it."""
        if self._answer is None:
            raise ConversationError(f"this turn has no answer; it waits for {self._state.value}")
        return self._answer

    def in_use(self) -> AbstractContextManager[None]:
        """Hold the conversation for as long as the turn is driven.

        Raises:
            ConversationError: When entered: another turn holds it.
        """
        return self._conversation.in_use()

    def request(self, *, streamed: bool = False) -> bytes:
        """Give the body of the next request to the model.

        Raises:
            ContextTooLongError: It cannot be made to fit.
        """
        self._require(State.MODEL)
        # The tools that the model is told of are those that its answer may call.
        self._toolbox = self._plan.toolbox()
        head, opening = self._plan.opening(self._toolbox)
        past = self._conversation.fitting(self._blocks, self._plan.tokens_left(self._toolbox))
        return join_request(head, (*opening, *past), STREAMED if streamed else WHOLE)

    def receive(self, answer: ModelAnswer) -> Sequence[Invocation]:
        """Take the model's answer.

        Returns:
            The tools to run, all at once if the driver can. There may be none, if every call
            was wrong or there was none.

        Raises:
            MaxRoundsError: The answer asks for tools, but it was the last one allowed.
        """
        self._require(State.MODEL)
        self._rounds += 1
        self._usage += answer.usage
        self._conversation.count(answer.usage)
        return self._receive_calls(answer) if answer.tool_calls else self._receive_text(answer)

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Take the results of the tools that ``receive`` gave out, in the same order."""
        if not results and self._state is not State.TOOLS:
            return  # There was no call, not even a wrong one.
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
