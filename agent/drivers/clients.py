"""The clients of the model's API that an agent uses: the caller's, or the agent's own."""

import asyncio
import threading

from openai import AsyncOpenAI, OpenAI

from ..errors import SettingsError


class Clients:
    """Provides the sync client, and an async one for the running event loop.

    Clients of the caller are used as they are, and closed by the caller. An agent that gets
    no client makes its own at first use, from the environment (``OPENAI_API_KEY`` and so on),
    and closes them.

    An async client belongs to one event loop: shared by two, it hangs or fails with "Event loop
    is closed". So the caller's client is refused in a second loop, and the agent makes one of
    its own for each loop.
    """

    def __init__(self, sync: OpenAI | None, async_: AsyncOpenAI | None) -> None:
        self._given = sync is not None or async_ is not None
        self._sync = sync
        self._async = async_
        self._loop: asyncio.AbstractEventLoop | None = None
        self._own: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}
        self._making = threading.Lock()

    def sync(self) -> OpenAI:
        """Return the sync client.

        Raises:
            SettingsError: The agent got an async client only.
        """
        if self._sync is None:
            with self._making:
                if self._given:
                    raise SettingsError(
                        "this agent was given an async client only; pass client=OpenAI(…) as "
                        "well to call its sync methods"
                    )
                if self._sync is None:
                    self._sync = OpenAI()
        return self._sync

    def of_running_loop(self) -> AsyncOpenAI:
        """Return the async client for this event loop.

        Raises:
            SettingsError: The agent got a sync client only, or its client belongs to another loop.
        """
        loop = asyncio.get_running_loop()
        if self._async is None:
            return self._own_of(loop)
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            raise SettingsError(
                "this agent's async client was used in another event loop, and a client belongs "
                "to one; make an agent and a client for each loop, or give the agent no client"
            )
        return self._async

    def _own_of(self, loop: asyncio.AbstractEventLoop) -> AsyncOpenAI:
        if self._given:
            raise SettingsError(
                "this agent was given a sync client only; pass async_client=AsyncOpenAI(…) as "
                "well to call its async methods"
            )
        client = self._own.get(loop)
        if client is None:
            with self._making:
                # A client of a closed loop can no longer be used.
                self._own = {known: c for known, c in self._own.items() if not known.is_closed()}
                client = self._own[loop] = AsyncOpenAI()
        return client

    def close(self) -> None:
        """Close the agent's own sync client."""
        if not self._given and self._sync is not None:
            self._sync.close()
            self._sync = None

    async def aclose(self) -> None:
        """Close the agent's own clients: the sync one, and the async one of this loop."""
        self.close()
        client = self._own.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()
