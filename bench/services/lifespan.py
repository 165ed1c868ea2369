"""The lifespan of an ASGI application: its startup before the sessions, its shutdown after them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ...mocks.errors import ClockError, TargetError, name_of, text_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

ASGI_VERSION = "3.0"
_STARTUP = "lifespan.startup"
_SHUTDOWN = "lifespan.shutdown"


class Lifespan:
    """Runs the lifespan protocol of one application, in a task of its own.

    An application that raises before it has said anything does not know the protocol: it is served
    without, as the specification says and servers do.

    Args:
        name: The target, in errors.
        app: The application.

    Attributes:
        state: What it keeps for its requests, of which each gets a copy.
    """

    def __init__(self, name: str, app: AsgiApp) -> None:
        self._name = name
        self._app = app
        self.state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._to_app: list[Message] = []
        self._from_app: dict[str, Message] = {}
        self._wakes_app: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Let the application start.

        Raises:
            TargetError: It says that it cannot.
        """
        await self._phase(_STARTUP)

    async def stop(self) -> None:
        """Let the application end, if it has started.

        Raises:
            TargetError: It says that it cannot, or raises.
        """
        if self._task is not None:
            await self._phase(_SHUTDOWN)
            self._task = None

    async def _phase(self, phase: str) -> None:
        """Send the application a message, and wait until it has answered or ended."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"lifespan of {self._name}")
        self._answered = asyncio.get_running_loop().create_future()
        self._task.add_done_callback(self._ended)
        self._to_app.append({"type": phase})
        if self._wakes_app is not None and not self._wakes_app.done():
            self._wakes_app.set_result(None)
        try:
            if not self._task.done():
                await self._answered
        except asyncio.CancelledError:
            await self._cancel()
            raise
        failed = self._from_app.get(f"{phase}.failed")
        if failed is not None:
            await self._cancel()
            raise self._refusal(phase, str(failed.get("message", "")))
        if self._task.done():
            self._look_at_end(phase)

    def _look_at_end(self, phase: str) -> None:
        """Say what it means that the lifespan's task has ended."""
        task, self._task = self._task, None
        if task is None or task.cancelled():
            return
        error = task.exception()
        if isinstance(error, ClockError):
            raise error
        if error is not None and phase == _SHUTDOWN:
            raise self._refusal(phase, f"{name_of(error)}: {text_of(error)}") from error

    def _refusal(self, phase: str, message: str) -> TargetError:
        # Frameworks send a whole traceback, whose last line is the error.
        lines = [line for line in message.splitlines() if line.strip()]
        said = lines[-1].strip() if lines else "without saying why"
        what = phase.removeprefix("lifespan.")
        return TargetError(f"target {self._name!r}: the application's {what} failed: {said}")

    async def _cancel(self) -> None:
        """End the task: one that has failed has said all that it will."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # it has been told

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": ASGI_VERSION, "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        while not self._to_app:
            self._wakes_app = asyncio.get_running_loop().create_future()
            await self._wakes_app
        return self._to_app.pop(0)

    async def _send(self, message: Message) -> None:
        self._from_app[str(message["type"])] = message
        self._wake()

    def _ended(self, _task: object) -> None:
        self._wake()

    def _wake(self) -> None:
        if not self._answered.done():
            self._answered.set_result(None)
