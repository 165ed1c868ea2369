"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``scripted`` decides what is answered and when; ``apis`` finds the API of an address; a file each
only translates (``openai_chat``, ``anthropic_messages``, ``gemini``, …); ``wire.broken_replies``
applies faults to replies; ``rate_limits`` holds the limits of the model's server; ``endpoints``
answers what is asked beside it. Nothing here waits: a ``Reply`` says when each part is due, and a
transport sends it then.
"""

from .apis import WIRE_FORMATS, wire_format_of
from .scripted import ModelReply, ScriptedModel, task_of
from .tool_uses import TICKET, is_known_as

__all__ = [
    "TICKET",
    "WIRE_FORMATS",
    "ModelReply",
    "ScriptedModel",
    "is_known_as",
    "task_of",
    "wire_format_of",
]
