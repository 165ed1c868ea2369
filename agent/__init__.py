"""A small, good agent: the lab's default target and a reference for writing one.

    @tool
    async def weather(city: str) -> str:
        '''Look up the weather.'''

    async with Agent([weather]) as agent:
        answer = await agent.chat_async("What is the weather in Oslo and in Rome?")

Each method has a sync twin (``agent.chat``) that is plain code in the calling thread.
"""

from .agent import Agent, Mode
from .conversation.conversation import Conversation, ConversationSummary
from .drivers.batch import Outcome
from .drivers.streams import AsyncEventStream, EventStream
from .errors import (
    AgentError,
    ContextTooLongError,
    ConversationError,
    MaxRoundsError,
    ModelAnswerError,
    RunningLoopError,
    SessionTimeoutError,
    SettingsError,
    StepFailedError,
    ToolArgumentsError,
    ToolDefinitionError,
    ToolFailedError,
    WorkflowError,
)
from .messages import (
    Answer,
    Finished,
    StreamEvent,
    TaskResult,
    TextDelta,
    ToolCall,
    ToolEnded,
    ToolResult,
    ToolStarted,
    Usage,
)
from .policies.counters import Counters, Prices
from .policies.limiter import Limiter
from .policies.retry import RetryBudget, RetryPolicy
from .tools.tool import Tool, tool
from .workflows.graph import StepContext
from .workflows.progress import WorkflowResult
from .workflows.prompt import Prompt
from .workflows.workflow import Workflow

__all__ = [
    "Agent",
    "AgentError",
    "Answer",
    "AsyncEventStream",
    "ContextTooLongError",
    "Conversation",
    "ConversationError",
    "ConversationSummary",
    "Counters",
    "EventStream",
    "Finished",
    "Limiter",
    "MaxRoundsError",
    "Mode",
    "ModelAnswerError",
    "Outcome",
    "Prices",
    "Prompt",
    "RetryBudget",
    "RetryPolicy",
    "RunningLoopError",
    "SessionTimeoutError",
    "SettingsError",
    "StepContext",
    "StepFailedError",
    "StreamEvent",
    "TaskResult",
    "TextDelta",
    "Tool",
    "ToolArgumentsError",
    "ToolCall",
    "ToolDefinitionError",
    "ToolEnded",
    "ToolFailedError",
    "ToolResult",
    "ToolStarted",
    "Usage",
    "Workflow",
    "WorkflowError",
    "WorkflowResult",
    "tool",
]
