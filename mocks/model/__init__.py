"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``scripted`` decides what is answered and when; ``openai_chat``, ``openai_responses`` and
``anthropic_messages`` only translate; ``wire.broken_replies`` spoils what a fault strikes;
``rate_limits`` holds the limits of the model's server. Nothing here waits: a ``Reply`` says when
its parts are due, and a transport plays it.
"""

from .scripted import WIRE_FORMATS, ModelReply, ScriptedModel, task_of, wire_format_of
from .tool_uses import TICKET, made_up_arguments

__all__ = [
    "TICKET",
    "WIRE_FORMATS",
    "ModelReply",
    "ScriptedModel",
    "made_up_arguments",
    "task_of",
    "wire_format_of",
]
