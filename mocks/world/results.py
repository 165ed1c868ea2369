"""What tools and services return: a tool's result with its mark, and either changed on purpose."""

from collections.abc import Mapping

from msgspec.json import decode as from_json
from msgspec.json import encode as to_json

from ..model.changed_answers import changed_text, changed_value
from ..model.conversations import held_in, owner_of
from ..observe.data_flow import Change
from ..wire.reply import Reply, later, whole_reply
from ..workload.marks import Mark


def tool_result(
    name: str,
    at: tuple[int, int, int],
    arguments: Mapping[str, object],
    draw: int = 0,
    *,
    is_marked: bool = True,
    is_shared: bool = False,
) -> str:
    """Return the result of a lab's tool.

    Args:
        name: Name of the tool.
        at: Where its call stands in the script: session, step and index.
        arguments: Its arguments without the ticket. If they carry text of a session, the result is
            that session's, too.
        draw: Which other result it has, if it is changed.
        is_marked: Whether it begins with a provenance mark.
        is_shared: Whether the scenario says that sessions share what the tool returns.
    """
    number, step, index = at
    asked = f"{name} {sorted(arguments.items())}".encode(errors="replace")
    ticket = f"{number}.{step}.{index}"
    text = f"{name} has done {ticket}" if not draw else changed_text(draw, asked)
    if not is_marked:
        return text
    owner = None if is_shared else owner_of(number, held_in(asked).owners)
    return Mark(number, step, 1 + index, owner).text + text


def changed_reply(reply: Reply, change: Change) -> Reply:
    """Return the reply of a service as changed: other values in its JSON, or another text."""
    if change.draw and reply.is_whole:
        body = _changed_body(reply.body, change.draw)
        reply = whole_reply(reply.status, reply.headers, body, reply.head_ns)
    return later(reply, change.later_ns) if change.later_ns else reply


def _changed_body(body: bytes, draw: int) -> bytes:
    try:
        return to_json(changed_value(from_json(body), draw))
    except (ValueError, RecursionError):
        return changed_text(draw, body).encode()
