"""A small, good agent: the lab's default target and a reference for writing one.

    async with openai.AsyncOpenAI() as client:
        agent = AsyncAgent(client, [Tool.from_function(weather)])
        answer = await agent.run("What is the weather in Oslo and in Rome?")

``Agent`` is the same without the ``await``.
"""

from .async_ import AsyncAgent
from .errors import (
    AgentError,
    ConversationError,
    MaxRoundsError,
    ModelAnswerError,
    RunningLoopError,
    SettingsError,
    ToolArgumentsError,
    ToolDefinitionError,
)
from .messages import Answer, Usage
from .registry import Tool
from .sync import Agent

__all__ = [
    "Agent",
    "AgentError",
    "Answer",
    "AsyncAgent",
    "ConversationError",
    "MaxRoundsError",
    "ModelAnswerError",
    "RunningLoopError",
    "SettingsError",
    "Tool",
    "ToolArgumentsError",
    "ToolDefinitionError",
    "Usage",
]
