"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``conversations`` finds whose a request is and where it stands, ``attempts`` tells a retry from a
sample; ``scripted`` decides what is answered and when; ``apis`` finds the API of an address; a file
each only translates (``openai_chat``, ``anthropic_messages``, ``gemini``, …);
``wire.broken_replies`` applies faults to replies; ``rate_limits`` holds the limits of the model's
server; ``endpoints`` answers what is asked beside it. Nothing here waits: a ``Reply`` says when
each part is due, and a transport sends it then.
"""

from .apis import WIRE_FORMATS, wire_format_of
from .attempts import Attempt, Manner
from .conversations import NOBODY, Caller, Rule, task_of
from .kinds import Kinds
from .scripted import ModelReply, ScriptedModel
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
