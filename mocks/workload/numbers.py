"""The numbers of sessions, of those nested in them, and of further conversations. Pure.

Whatever plays a script has one number: a session, a session nested in it, a conversation that it
holds beside its main one. From that number alone follow its session and, with the scenario and the
seed, all its draws. So a server in another process, and tools that know a number only, draw the
same.

A session is numbered from 0, one of a warm-up below 0. What belongs to it has the same remainder by
``MAX_SESSIONS``, and the same sign.
"""

from ..scenario import MAX_SESSIONS

SHARED = 1 - MAX_SESSIONS
"""Stands for the session of work that sessions share."""

_DIGEST_BITS = 32


def session_of(number: int) -> int:
    """Return the session to which a number belongs: the outermost one."""
    return number % MAX_SESSIONS if number >= 0 else -(-number % MAX_SESSIONS)


def nested_number(session: int, nested: int) -> int:
    """Number the session that is nested in another, counted from 1."""
    return _beyond(session, nested)


def conversation_number(session: int, kind: int, digest: int) -> int:
    """Number a conversation of a session.

    Args:
        session: The session.
        kind: Its kind: 0 for what no ``[[conversations]]`` matches, else its place there from 1.
        digest: 32 bits that tell it from the session's others.
    """
    return _beyond(session, (1 + kind) << _DIGEST_BITS | digest)


def kind_of(number: int) -> int | None:
    """Return the kind of a conversation; ``None`` for a session, and for one nested in it."""
    kind = abs(number) // MAX_SESSIONS >> _DIGEST_BITS
    return kind - 1 if kind else None


def _beyond(session: int, multiple: int) -> int:
    """Return a number of the same session, and of the same sign: a warm-up is no part of a run."""
    offset = MAX_SESSIONS * multiple
    return session + offset if session >= 0 else session - offset
