"""What a client meets where nothing mocks its request: a host that refuses connections."""

import errno
from urllib.parse import urlsplit

from ...errors import UnmockedRequestError


def refusal_text(url: str) -> str:
    """Return what a client says of a refused connection: the cause of its error says the rest."""
    return f"[Errno {errno.ECONNREFUSED}] Connection refused: {urlsplit(url).netloc} was not asked"


def connection_refused(url: str, error: UnmockedRequestError) -> ConnectionRefusedError:
    """Return the error of the system's of a connection that is refused.

    Args:
        url: What was asked for.
        error: The lab's own, which becomes its cause.
    """
    text = refusal_text(url).partition("] ")[2]
    refused = ConnectionRefusedError(errno.ECONNREFUSED, text)
    refused.__cause__ = error
    return refused
