"""A task that the agent works on alone until the model declares it complete."""

from collections.abc import Callable, Iterable, Sequence

from ..errors import ToolArgumentsError
from ..messages import ModelAnswer, TaskResult, ToolCall, ToolResult
from ..tools.invocation import Invocation
from ..tools.tool import Tool
from ..tools.toolbox import Toolbox
from .conversation import Conversation
from .request_plan import Plan
from .turn import Turn
from .wire import encode_answer, encode_text

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
"""The tool by which the model declares a task complete; the turn reads the call, nothing runs."""


def with_completion(toolbox: Callable[[], Toolbox]) -> Callable[[], Toolbox]:
    """Add to the tools the one that completes a task.

    Raises:
        ToolDefinitionError: A tool has the name of that one; raised at each request.
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

    A text without calls does not end the task: the model is asked to continue, up to the last
    round. Other calls of the declaring answer still run, and their results are kept.
    """

    def __init__(
        self, plan: Plan, conversation: Conversation, message: str, max_rounds: int
    ) -> None:
        super().__init__(plan, conversation, message, max_rounds)
        self._declared: str | None = None
        self._last_words = ""
        self._last: ModelAnswer | None = None

    def result(self, execution_time: float) -> TaskResult:
        """Return the result of the task; ``execution_time`` is in seconds."""
        answer = self.answer
        return TaskResult(
            task_completed=self._declared is not None,
            answer=answer.text,
            iterations_used=answer.rounds,
            execution_time=execution_time,
            usage=answer.usage,
        )

    def receive(self, answer: ModelAnswer) -> Sequence[Invocation]:
        """Take the model's answer; in the last round, any answer ends the task."""
        self._last = answer
        self._last_words = answer.text or self._last_words
        return super().receive(answer)

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Take the results of tools; after those of the declaring answer the task is over."""
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
