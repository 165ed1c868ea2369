"""What sends the requests of async openai clients: the SDK's own client, or another."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClient:
    """A kind of HTTP client.

    Attributes:
        name: As it is shown.
        make: Makes one; ``None`` for the one that the SDK makes by itself.
        sends_sync: Whether sync sessions can use it, too.
        module: What must be installed for it, the name of an extra of ours as well; ``None`` for
            nothing.
    """

    name: str
    make: "Callable[[], httpx2.AsyncClient] | None" = None
    sends_sync: bool = True
    module: str | None = None

    def require(self, who: str) -> None:
        """Make sure that it is installed.

        Args:
            who: What needs it, at the begin of the message.

        Raises:
            UsageError: It is not.
        """
        if self.module is not None and find_spec(self.module) is None:
            raise UsageError(f"{who} needs {self.name}: pip install warpbench[{self.module}]")


def _aiohttp_client() -> "httpx2.AsyncClient":
    # The SDK takes most of a second to import, and a list of transports needs none of it.
    from openai import DefaultAioHttpClient  # noqa: PLC0415

    try:
        return DefaultAioHttpClient()
    except RuntimeError as error:  # before version 3 it needs a further package
        raise UsageError(
            f"the openai SDK has no aiohttp client ({error}): pip install warpbench[aiohttp]"
        ) from error


SDK_CLIENT = HttpClient(name="the SDK's own client")
"""The usual one: it sends by httpx2 from version 3 of the openai SDK on, and by httpx before."""
AIOHTTP = HttpClient(name="aiohttp", make=_aiohttp_client, sends_sync=False, module="aiohttp")


class HttpClients:
    """Makes the HTTP clients of one trial's targets, and closes them.

    Args:
        kind: What they are.
    """

    def __init__(self, kind: HttpClient = SDK_CLIENT) -> None:
        self._kind = kind
        self._was_asked = False
        self._made: list[httpx2.AsyncClient] = []

    def make(self) -> "httpx2.AsyncClient | None":
        """Return the ``http_client`` for an ``AsyncOpenAI``; ``None`` for its own."""
        self._was_asked = True
        if self._kind.make is None:
            return None
        client = self._kind.make()
        self._made.append(client)
        return client

    @property
    def must_be_closed(self) -> bool:
        """Whether one was made."""
        return bool(self._made)

    def why_unused(self) -> str | None:
        """Return why a target that has sent requests did not use them; ``None`` if it did."""
        if self._kind.make is None or self._was_asked:
            return None
        return (
            f"the target does not ask for lab.async_http_client(), so {self._kind.name} is not "
            "in use"
        )

    async def close(self) -> None:
        """Close them, on the loop on which they were used."""
        for client in self._made:
            await client.aclose()
