"""A request that nothing mocks, and that was refused: what is noted of it."""

from dataclasses import dataclass

UNKNOWN_SESSION = -1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request to an address that is not mocked.

    Attributes:
        host: Name or address of the host; empty where a server was asked for a path of its own.
        path: Path of the request, without its query; empty where only the host is known.
        session: Number of the session; -1 if that is not known.
        at_ns: When it was refused, on the clock; over sockets, when its client began it, if that is
            known.
        idle_ns: Nanoseconds in which nobody had computed until then; see ``Clock.idle_ns``.
        from_child: Whether a program asked that the target started.
    """

    host: str
    path: str
    session: int
    at_ns: int
    idle_ns: int = 0
    from_child: bool = False
