"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``conversations`` finds whose a request is and where it stands, ``attempts`` tells a retry from a
sample; ``scripted`` decides what is answered and when; ``openai_chat``, ``openai_responses`` and
``anthropic_messages`` only translate; ``wire.broken_replies`` applies faults to replies;
``rate_limits`` holds the limits of the model's server. Nothing here waits: a ``Reply`` says
when each part is due, and a transport sends it then.
"""

from .attempts import Attempt, Manner
from .conversations import NOBODY, Caller, Rule, task_of
from .kinds import Kinds
from .scripted import WIRE_FORMATS, ModelReply, ScriptedModel, wire_format_of
from .tool_uses import TICKET, is_known_as

__all__ = [
    "NOBODY",
    "TICKET",
    "WIRE_FORMATS",
    "Attempt",
    "Caller",
    "Kinds",
    "Manner",
    "ModelReply",
    "Rule",
    "ScriptedModel",
    "is_known_as",
    "task_of",
    "wire_format_of",
]
