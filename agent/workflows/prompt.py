"""A step that asks an agent."""

from dataclasses import dataclass
from typing import Protocol

from ..messages import Answer
from .graph import StepContext


class Chatting(Protocol):
    """An agent, as far as a prompt needs one."""

    def chat(self, message: str) -> Answer:
        """Answer in this thread."""
        ...

    async def chat_async(self, message: str) -> Answer:
        """Answer in the running event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt to an agent as an action; its result is the ``Answer``.

    Attributes:
        agent: The agent, which answers in a conversation of its own.
        template: The prompt. ``{task}`` stands for the task that the workflow was started with, and
            ``{name}`` for the result of an earlier step.
    """

    agent: Chatting
    template: str

    def act(self, context: StepContext) -> Answer:
        """Ask in this thread."""
        return self.agent.chat(self._message(context))

    async def act_async(self, context: StepContext) -> Answer:
        """Ask in the running event loop."""
        return await self.agent.chat_async(self._message(context))

    def _message(self, context: StepContext) -> str:
        return self.template.format_map({"task": context.task, **context.results})
