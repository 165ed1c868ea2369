"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``scripted`` decides what is answered and when; ``openai_chat``, ``openai_responses`` and
``anthropic_messages`` only translate; ``wire.broken_replies`` applies faults to replies;
``rate_limits`` holds the limits of the model's server. Nothing here waits: a ``Reply`` says
when each part is due, and a transport sends it then.
"""

from .scripted import WIRE_FORMATS, ModelReply, ScriptedModel, task_of, wire_format_of
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
