"""The scripted model, and the APIs that it speaks.

    request ──WireFormat.read──▶ Question ──script──▶ Answer ──WireFormat.whole/stream──▶ Reply

``scripted`` decides what is answered and when; ``chat_completions``, ``responses`` and
``messages`` only translate; ``failing`` spoils what a fault strikes; ``capacity`` holds the
limits of the model's server. Nothing here waits: a ``Reply`` says when its parts are due, and
the router or the server plays it.
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
