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
    """Asks an agent; its result is the ``Answer``.

    Attributes:
        agent: Whom to ask, in a conversation of its own.
        template: What to ask. ``{task}`` stands for what the workflow was started with, and
            ``{name}`` for the result of a step before this one.
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
