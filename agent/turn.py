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

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import Enum

from .conversation import Block, Conversation
from .errors import ConversationError, MaxRoundsError, SettingsError, ToolArgumentsError
from .invocation import Invocation
from .messages import Answer, ModelAnswer, TaskResult, ToolCall, ToolResult, Usage
from .plan import Plan
from .tool import Tool
from .toolbox import Toolbox
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


TASK_INSTRUCTIONS = (
    "Work on the user's task by yourself until it is done. There is nobody to ask: decide, and "
    "go on. When the task is done, or you are sure that it cannot be, call complete_task."
)
_NUDGE = "Go on with the task. If it is done, call complete_task with its result."
_NOTED = "Noted."


def _complete_task(answer: str) -> str:
    """Declare the task complete.

    Args:
        answer: The result of the task, whole, as the user shall read it.
    """
    return answer


COMPLETE_TASK = Tool.from_function(_complete_task, name="complete_task")
"""The tool by which the model declares a task complete; the turn sees to it, nothing runs."""


def with_completion(toolbox: Callable[[], Toolbox]) -> Callable[[], Toolbox]:
    """Give the same tools and the one that completes a task.

    Raises:
        ToolDefinitionError: When asked: a tool has its name.
    """
    last: tuple[Toolbox, Toolbox] | None = None

    def having_it() -> Toolbox:
        nonlocal last
        plain = toolbox()
        if last is None or last[0] is not plain:
            last = (plain, plain.having([COMPLETE_TASK]))
        return last[1]

    return having_it


class TaskTurn(Turn):
    """A task that the agent works on until the model declares it complete.

    A mere text does not end it: the model is asked to go on, up to the last round. Whatever
    else the declaring answer calls still runs, and its results stand in the conversation.
    """

    def __init__(
        self, plan: Plan, conversation: Conversation, message: str, max_rounds: int
    ) -> None:
        super().__init__(plan, conversation, message, max_rounds)
        self._declared: str | None = None
        self._last_words = ""
        self._last: ModelAnswer | None = None

    def result(self, execution_time: float) -> TaskResult:
        """Give the end of the task; ``execution_time`` is in seconds."""
        answer = self.answer
        return TaskResult(
            task_completed=self._declared is not None,
            answer=answer.text,
            iterations_used=answer.rounds,
            execution_time=execution_time,
            usage=answer.usage,
        )

    def receive(self, answer: ModelAnswer) -> Sequence[Invocation]:
        """Take the model's answer; in the last round, one that does not complete ends it too."""
        self._last = answer
        self._last_words = answer.text or self._last_words
        return super().receive(answer)

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Take the results of tools; after those of the declaring answer, it is over."""
        super().add_results(results)
        if self._declared is not None and not self.is_over:
            self._end(self._declared)

    def _receive_text(self, answer: ModelAnswer) -> Sequence[Invocation]:
        self._blocks.append(self._block(encode_answer(answer)))
        if self._rounds == self._max_rounds:
            self._end(self._last_words)
        else:
            self._blocks.append(self._block(encode_text("user", _NUDGE)))
        return ()

    def _receive_calls(self, answer: ModelAnswer) -> Sequence[Invocation]:
        if self._rounds == self._max_rounds and not self._declares(answer.tool_calls):
            # Calls without results would make the history invalid: only the words stay.
            if answer.text:
                self._blocks.append(self._block(encode_text("assistant", answer.text)))
            self._end(self._last_words)
            return ()
        invocations = self._begin(answer, self._prepare)
        if not invocations and self._declared is not None:
            self.add_results(())
        return invocations

    def _declares(self, calls: Iterable[ToolCall]) -> bool:
        return any(isinstance(self._declaration(call), str) for call in calls)

    def _prepare(self, call: ToolCall) -> Invocation | ToolResult:
        if call.name != COMPLETE_TASK.name:
            return self._toolbox.prepare(call)
        declared = self._declaration(call)
        if isinstance(declared, str):
            self._declared = declared
            return ToolResult(call.id, _NOTED)
        return declared

    def _declaration(self, call: ToolCall) -> str | ToolResult:
        """Read the result that a call declares; a wrong call is answered."""
        assert COMPLETE_TASK.validate is not None
        if call.name != COMPLETE_TASK.name:
            return ToolResult(call.id, "", failed=True)
        try:
            return str(COMPLETE_TASK.validate(call.arguments or "{}")["answer"])
        except ToolArgumentsError as error:
            return ToolResult(call.id, f"error: wrong arguments: {error}", failed=True)

    def _end(self, text: str) -> None:
        assert self._last is not None
        self._finish(self._last, text)
